"""Every word of a text is scored once, from all that stands before it."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.evaluation.stream import mean_loss, read_stream, surprisals
from nextword.inference.loaded_model import LoadedModel

IDS = np.random.default_rng(1).integers(0, 14, 97).astype(np.uint16)
Untrained = Callable[..., LoadedModel]


@pytest.mark.parametrize(("window", "rows"), [(1, 1), (5, 3), (97, 10), (256, 256)])
def test_one_stream_scores_every_word_in_order(
    untrained: Untrained, window: int, rows: int
) -> None:
    model = untrained().network
    scored = list(read_stream(model, IDS, window, rows))
    assert torch.cat([piece.targets for piece in scored]).tolist() == IDS.tolist()
    assert all(piece.scores.shape == (len(piece.targets), 14) for piece in scored)
    assert max(len(piece.targets) for piece in scored) <= min(window, rows)
    with torch.no_grad():
        whole = model(torch.tensor([[1, *IDS[:-1].tolist()]]))[0][0]
    torch.testing.assert_close(torch.cat([piece.scores for piece in scored]), whole)


@pytest.mark.parametrize("streams", [2, 7, 500])
def test_several_streams_score_every_word_once_too(untrained: Untrained, streams: int) -> None:
    scored = list(read_stream(untrained().network, IDS, window=4, rows=5, streams=streams))
    seen = Counter(torch.cat([piece.targets for piece in scored]).tolist())
    assert seen == Counter(IDS.tolist())


def test_dropout_is_off_while_measuring(untrained: Untrained) -> None:
    model = untrained(dropout=0.5).network.train()
    assert mean_loss(model, IDS) == mean_loss(model, IDS)


def test_surprisal_is_minus_the_logarithm_of_the_probability(untrained: Untrained) -> None:
    for scored in read_stream(untrained().network, IDS):
        wanted = -scored.scores.double().softmax(1)[range(len(IDS)), scored.targets].log()
        torch.testing.assert_close(surprisals(scored).double(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "feedforward"])
def test_mean_loss_is_the_mean_over_all_words(untrained: Untrained, kind: str) -> None:
    model = untrained(kind=kind).network.eval()
    with torch.no_grad():
        scores = model(torch.tensor([[1, *IDS[:-1].tolist()]]))[0][0]
    wanted = torch.nn.functional.cross_entropy(scores, torch.from_numpy(IDS.astype(np.int64)))
    assert mean_loss(model, IDS) == pytest.approx(wanted.item(), rel=1e-5)
    # cut into pieces each of which begins with an empty memory: near, not the same
    assert mean_loss(model, IDS, streams=4) == pytest.approx(wanted.item(), rel=0.1)


def test_no_words_have_no_mean(untrained: Untrained) -> None:
    assert math.isnan(mean_loss(untrained().network, IDS[:0]))
