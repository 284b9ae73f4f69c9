"""A vocabulary of 100,000 words: the scores of all words at all places never exist at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="no peak memory on this system")

PLACES, WORDS, SIZE = 4096, 100_000, 16
WHOLE = 4 * PLACES * WORDS
"""Bytes of the scores of all words at all places."""

PROGRAM = f"""
import resource, sys, torch
from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import ExactLoss
from nextword.models.layers import OutputLayer

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

torch.manual_seed(1)
output = OutputLayer({WORDS}, {SIZE}, bias=True)
features = torch.randn(1, {PLACES}, {SIZE}, requires_grad=True)
targets = torch.randint(0, {WORDS}, (1, {PLACES}))
losses = {{"exact": ExactLoss(), "sampled": SampledLoss(1000, 512, torch.ones({WORDS}).long())}}
before = peak()
value = losses[sys.argv[1]](features, output, targets).mean
value.backward()
assert output.weight.grad.shape == ({WORDS}, {SIZE})
print(float(value), peak() - before)
"""


@pytest.mark.parametrize("name", ["exact", "sampled"])
def test_memory_is_bounded(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, name], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    value, grown = (float(part) for part in ran.stdout.split())
    assert 11 < value < 12.5  # about log 100,000
    assert grown < WHOLE / 4
