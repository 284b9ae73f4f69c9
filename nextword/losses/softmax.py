"""Softmax cross-entropy without the whole (positions x vocabulary) matrix of scores.

The gradient of the scores is the distribution minus one at the target. It is computed in place, in
the scores' memory, for several hundred positions at a time, while they are in the processor's
cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nextword.models.layers import OutputLayer
from nextword.windows import IGNORED

CHUNK_ROWS = 256
"""Positions scored at once, at least: with 12,000 words their scores take 12 MB."""
CHUNK_SCORES = 700_000
"""Scores computed at once where few words are candidates: 3 MB, in fewer calls."""


def rows_per_chunk(candidates: int) -> int:
    """Positions to score at once against a number of candidates."""
    return max(CHUNK_ROWS, CHUNK_SCORES // candidates)


class LossValue(NamedTuple):
    """The mean loss over the targets that are not ignored, in nats, and their number."""

    mean: Tensor
    words: int


class Loss(Protocol):
    """A loss on features and targets."""

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """The mean loss of ``(batch, time, size)`` features and ``(batch, time)`` targets."""
        ...


class Candidates(NamedTuple):
    """The words in the softmax: the first ``head`` ids, and a sample of the others, the tail.

    A sampled word represents several tail words: its entry of ``log_weights``, ``(sample,)``, is
    added to its score. A target in the tail is always scored in addition, once.
    """

    head: int
    sample: Tensor | None = None
    log_weights: Tensor | None = None


class _Gradients:
    """The gradients of one call, accumulated over chunks of positions."""

    def __init__(self, weight: Tensor, bias: Tensor | None, features: Tensor, rows: Tensor) -> None:
        self.weight, self.bias = weight, bias
        self.features = torch.empty_like(features)
        self.rows = torch.zeros_like(rows)
        self.row_bias = rows.new_zeros(len(rows))
        self.own: list[tuple[Tensor, Tensor, Tensor]] = []
        """For the tail targets of each chunk: ids, gradients of their rows and of their biases."""

    def add(
        self, here: slice, slope: Tensor, scaled: Tensor, products: Tensor, scale: float
    ) -> None:
        """Accumulate the gradients of a chunk at the positions ``here``.

        Args:
            here: the chunk's positions.
            slope: gradient of the scores, ``(positions, candidates)``.
            scaled: the chunk's features times ``scale``, ``(positions, size)``.
            products: the candidates' rows in the precision of matrix products.
            scale: factor of the mean, one over the number of targets.
        """
        self.row_bias.add_(slope.sum(0), alpha=scale)
        slope = slope.to(products.dtype)
        torch.mul(slope @ products, scale, out=self.features[here])
        if products.dtype == self.rows.dtype:
            self.rows.addmm_(slope.t(), scaled)
        else:
            self.rows += slope.t() @ scaled.to(products.dtype)

    def add_tail(
        self, here: slice, tail: Tensor, ids: Tensor, slope: Tensor, chunk: Tensor, scale: float
    ) -> None:
        """Accumulate the gradients of tail targets, whose scores are in the extra column."""
        scaled = slope * scale
        self.features[here].index_add_(0, tail, scaled * self.weight[ids])
        self.own.append((ids, scaled * chunk, scaled.squeeze(1)))

    def over_vocabulary(self, candidates: Candidates) -> list[Tensor]:
        """Gradients of the features, the whole weight and, if there is one, the whole bias."""
        if candidates.sample is None:
            shared = [self.rows, self.row_bias]
        else:
            ids = torch.cat([candidates.sample, *(ids for ids, _, _ in self.own)])
            parts = (
                (self.rows, self.weight, [rows for _, rows, _ in self.own]),
                (self.row_bias, self.weight[:, 0], [bias for _, _, bias in self.own]),
            )
            shared = [_scatter(part, like, candidates.head, ids, own) for part, like, own in parts]
        return [self.features, *(shared if self.bias is not None else shared[:1])]


def _scatter(part: Tensor, like: Tensor, head: int, ids: Tensor, own: list[Tensor]) -> Tensor:
    """Gradients of candidates and tail targets in a tensor over the whole vocabulary."""
    full = torch.zeros(like.shape, dtype=part.dtype, device=part.device)
    full[:head] = part[:head]
    return full.index_add_(0, ids, torch.cat([part[head:], *own]))


class _CandidateCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy over candidates; the forward pass computes all gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        candidates: Candidates,
        precision: torch.dtype,
    ) -> Tensor:
        rows, row_bias = _candidate_rows(weight, bias, candidates)
        products = rows.to(precision)
        gradients = None
        if any(ctx.needs_input_grad):
            gradients = _Gradients(weight, bias, features, rows)
        total = features.new_zeros(())
        scale = 1 / max(len(targets), 1)
        # an extra column for targets in the tail
        size = rows_per_chunk(len(rows))
        scores = features.new_empty(min(size, len(targets)), len(rows) + 1)
        for start in range(0, len(targets), size):
            here = slice(start, start + size)
            chunk, ids = features[here], targets[here]
            tail = (ids >= candidates.head).nonzero().squeeze(1)
            part = scores[: len(ids)]
            _score(part, chunk.to(precision), products, row_bias)
            own = _own_scores(chunk, weight, bias, ids, tail)
            _score_tail(part, own, ids, tail, candidates)
            columns = ids.index_fill(0, tail, len(rows)).unsqueeze(1)
            # in place: first the distribution, then the gradient
            torch.softmax(part, 1, out=part)
            likelihood = part.gather(1, columns).squeeze(1)
            total -= likelihood.clamp_min(torch.finfo(part.dtype).tiny).log().sum()
            if gradients is None:
                continue
            part.scatter_add_(1, columns, part.new_full(columns.shape, -1.0))
            gradients.add(here, part[:, :-1], chunk * scale, products, scale)
            gradients.add_tail(here, tail, ids[tail], part[tail, -1:], chunk[tail], scale)
        if gradients is not None:
            ctx.save_for_backward(*gradients.over_vocabulary(candidates))
        return total * scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        parts = ctx.saved_tensors
        # almost always one; skips a pass over the whole matrix
        if gradient != 1:
            parts = [part * gradient for part in parts]
        features, weight, *bias = parts
        return features, weight, bias[0] if bias else None, None, None, None


def _candidate_rows(
    weight: Tensor, bias: Tensor | None, candidates: Candidates
) -> tuple[Tensor, Tensor | None]:
    """The candidates' rows ``(candidates, size)``, and the bias of their scores."""
    head, sample, log_weights = candidates
    if sample is None or log_weights is None:
        return weight[:head], None if bias is None else bias[:head]
    rows = torch.cat([weight[:head], weight[sample]])
    log_weights = log_weights.to(weight)
    if bias is None:
        return rows, torch.cat([weight.new_zeros(head), log_weights])
    return rows, torch.cat([bias[:head], bias[sample] + log_weights])


def _score(scores: Tensor, chunk: Tensor, rows: Tensor, row_bias: Tensor | None) -> None:
    """Fill all columns but the last with the candidates' scores."""
    if row_bias is not None and chunk.dtype == scores.dtype:
        torch.addmm(row_bias, chunk, rows.t(), out=scores[:, :-1])
    else:
        products = chunk @ rows.t()
        torch.add(products, 0 if row_bias is None else row_bias, out=scores[:, :-1])


def _score_tail(
    scores: Tensor, own: Tensor, ids: Tensor, tail: Tensor, candidates: Candidates
) -> None:
    """Fill the last column; a tail target that was sampled too is counted only there."""
    scores[:, -1] = -torch.inf
    scores[tail, -1] = own
    if candidates.sample is not None and len(tail):
        row, sampled = (ids[tail].unsqueeze(1) == candidates.sample).nonzero(as_tuple=True)
        scores[tail[row], candidates.head + sampled] = -torch.inf


def _own_scores(
    chunk: Tensor, weight: Tensor, bias: Tensor | None, ids: Tensor, tail: Tensor
) -> Tensor:
    scores = (chunk[tail] * weight[ids[tail]]).sum(1)
    return scores if bias is None else scores + bias[ids[tail]]


def candidate_loss(
    features: Tensor, output: OutputLayer, targets: Tensor, candidates: Candidates
) -> LossValue:
    """Mean cross-entropy of the targets against the candidates.

    Args:
        features: ``(..., size)``.
        output: the layer that scores words.
        targets: ``(...)`` word ids; :data:`~nextword.windows.IGNORED` ones do not count.
        candidates: the words in the softmax.
    """
    flat, wanted = features.reshape(-1, features.shape[-1]), targets.reshape(-1)
    counted = wanted != IGNORED
    if not counted.all():
        flat, wanted = flat[counted], wanted[counted]
    # bfloat16 suffices for matrix products, but a sum in it is wrong in the third digit
    device = flat.device.type
    lowered = torch.is_autocast_enabled(device)
    precision = torch.get_autocast_dtype(device) if lowered else output.weight.dtype
    with torch.autocast(device, enabled=False):
        mean = _CandidateCrossEntropy.apply(  # type: ignore[no-untyped-call]
            flat.to(output.weight.dtype),
            output.weight,
            output.bias,
            wanted,
            candidates,
            precision,
        )
    return LossValue(mean, len(wanted))


class ExactLoss:
    """Cross-entropy of the full softmax."""

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """See :class:`Loss`."""
        return candidate_loss(features, output, targets, Candidates(len(output.weight)))
