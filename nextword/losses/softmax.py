"""Softmax cross-entropy whose (words x vocabulary) matrix never exists whole.

The gradient of the scores is the distribution itself minus a one at the target, so it is formed
in the scores' own memory, a few hundred places at a time, while they are still in the cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nextword.models.layers import OutputLayer
from nextword.windows import IGNORED

CHUNK_ROWS = 256
"""Places scored at once: at 12,000 words their scores fill 12 MB."""


class LossValue(NamedTuple):
    """What a loss gives: the mean over the words that count, in nats, and how many they are."""

    mean: Tensor
    words: int


class Loss(Protocol):
    """Anything that turns features and targets into a number to descend."""

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """The mean loss of ``(batch, time, size)`` features and ``(batch, time)`` targets."""
        ...


class Candidates(NamedTuple):
    """The words that the softmax runs over: the ``head`` first ids, and a sample of the others.

    Each sampled word stands for several of the tail: ``log_weights`` (one a sample) is added to
    its score.
    """

    head: int
    sample: Tensor | None = None
    log_weights: Tensor | None = None


class _Rows(NamedTuple):
    """What one chunk of places needs of the candidates."""

    weight: Tensor  # (candidates, size)
    bias: Tensor | None  # (candidates,)


def _candidate_rows(weight: Tensor, bias: Tensor | None, candidates: Candidates) -> _Rows:
    head, sample, log_weights = candidates
    if sample is None or log_weights is None:
        return _Rows(weight[:head], None if bias is None else bias[:head])
    rows = torch.cat([weight[:head], weight[sample]])
    if bias is None:
        return _Rows(rows, torch.cat([weight.new_zeros(head), log_weights.to(weight)]))
    return _Rows(rows, torch.cat([bias[:head], bias[sample] + log_weights.to(bias)]))


class _CandidateCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy over candidates; forms all gradients on the way forward."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        candidates: Candidates,
    ) -> Tensor:
        rows = _candidate_rows(weight, bias, candidates)
        total = features.new_zeros(())
        wanted = any(ctx.needs_input_grad)
        grad_features = torch.empty_like(features) if wanted else None
        grad_rows = torch.zeros_like(rows.weight) if wanted else None
        grad_bias = torch.zeros_like(weight[: len(rows.weight), 0]) if wanted else None
        own_ids: list[Tensor] = []
        own_grads: list[tuple[Tensor, Tensor]] = []
        scale = 1 / max(len(targets), 1)
        for start in range(0, len(targets), CHUNK_ROWS):
            here = slice(start, start + CHUNK_ROWS)
            chunk, ids = features[here], targets[here]
            scores = _scores(chunk, rows)
            in_head = ids < candidates.head
            columns = torch.where(in_head, ids, 0).unsqueeze(1)
            own = scores.gather(1, columns).squeeze(1)
            if candidates.sample is not None:
                # a rare target is scored by itself; where it was drawn too, once is enough
                scores.masked_fill_(ids.unsqueeze(1) == _sampled_columns(candidates), -torch.inf)
                tail = in_head.logical_not().nonzero().squeeze(1)
                own = own.index_copy(0, tail, _own_scores(chunk, weight, bias, ids, tail))
                log_total = torch.logaddexp(
                    scores.logsumexp(1), own.masked_fill(in_head, -torch.inf)
                )
            else:
                log_total = scores.logsumexp(1)
            total += (log_total - own).sum()
            if grad_features is None or grad_rows is None or grad_bias is None:
                continue
            # from here on the scores' memory holds their gradient
            scores.sub_(log_total.unsqueeze(1)).exp_()
            scores.scatter_add_(1, columns, -in_head.to(scores).unsqueeze(1))
            scores.mul_(scale)
            torch.mm(scores, rows.weight, out=grad_features[here])
            grad_rows.addmm_(scores.t(), chunk)
            grad_bias += scores.sum(0)
            if candidates.sample is not None:
                pull = ((own - log_total)[tail].exp() - 1) * scale
                grad_features[here].index_add_(0, tail, pull.unsqueeze(1) * weight[ids[tail]])
                own_ids.append(ids[tail])
                own_grads.append((pull.unsqueeze(1) * chunk[tail], pull))
        if grad_rows is not None and grad_bias is not None:
            full = _spread(weight, bias, candidates, grad_rows, grad_bias, own_ids, own_grads)
            ctx.save_for_backward(grad_features, *full)
        return total * scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, *bias = ctx.saved_tensors
        # almost always one: a pass over the vocabulary's matrix saved
        if gradient != 1:
            features, weight, bias = (
                features * gradient,
                weight * gradient,
                [part * gradient for part in bias],
            )
        return features, weight, bias[0] if bias else None, None, None


def _scores(chunk: Tensor, rows: _Rows) -> Tensor:
    if rows.bias is None:
        return chunk @ rows.weight.t()
    return torch.addmm(rows.bias, chunk, rows.weight.t())


def _sampled_columns(candidates: Candidates) -> Tensor:
    assert candidates.sample is not None
    head = candidates.sample.new_full((candidates.head,), -1)
    return torch.cat([head, candidates.sample])


def _own_scores(
    chunk: Tensor, weight: Tensor, bias: Tensor | None, ids: Tensor, tail: Tensor
) -> Tensor:
    scores = (chunk[tail] * weight[ids[tail]]).sum(1)
    return scores if bias is None else scores + bias[ids[tail]]


def _spread(
    weight: Tensor,
    bias: Tensor | None,
    candidates: Candidates,
    grad_rows: Tensor,
    grad_bias: Tensor,
    own_ids: list[Tensor],
    own_grads: list[tuple[Tensor, Tensor]],
) -> list[Tensor]:
    """The candidates' gradients, laid where their words stand in the whole vocabulary."""
    if candidates.sample is None:
        return [grad_rows] if bias is None else [grad_rows, grad_bias]
    ids = torch.cat([candidates.sample, *own_ids])
    head = candidates.head
    full = torch.zeros_like(weight)
    full[:head] = grad_rows[:head]
    full.index_add_(0, ids, torch.cat([grad_rows[head:], *(rows for rows, _ in own_grads)]))
    if bias is None:
        return [full]
    full_bias = torch.zeros_like(bias)
    full_bias[:head] = grad_bias[:head]
    full_bias.index_add_(0, ids, torch.cat([grad_bias[head:], *(pull for _, pull in own_grads)]))
    return [full, full_bias]


def candidate_loss(
    features: Tensor, output: OutputLayer, targets: Tensor, candidates: Candidates
) -> LossValue:
    """Mean cross-entropy of the targets against the candidates.

    Args:
        features: ``(..., size)``.
        output: the layer that scores words.
        targets: ``(...)`` word ids; :data:`~nextword.windows.IGNORED` places do not count.
        candidates: what the softmax runs over.
    """
    flat, wanted = features.reshape(-1, features.shape[-1]), targets.reshape(-1)
    counted = wanted != IGNORED
    if not counted.all():
        flat, wanted = flat[counted], wanted[counted]
    # a normaliser summed in bfloat16 is off in the third digit
    with torch.autocast(flat.device.type, enabled=False):
        mean = _CandidateCrossEntropy.apply(  # type: ignore[no-untyped-call]
            flat.to(output.weight.dtype), output.weight, output.bias, wanted, candidates
        )
    return LossValue(mean, len(wanted))


class ExactLoss:
    """Cross-entropy of the full softmax."""

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """See :class:`Loss`."""
        return candidate_loss(features, output, targets, Candidates(len(output.weight)))
