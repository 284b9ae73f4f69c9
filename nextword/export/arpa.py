"""An n-gram model as ARPA text, which KenLM, SRILM and speech decoders read.

A line gives the log10 probability of an n-gram's last word after its others, the words, and the
log10 weight of the shorter context for words that are not listed after this one. Our tree
interpolates, but that is only how it stores the same numbers: a listed probability is written as
the sum ``share + backoff * shorter``, and words that are not listed get ``backoff * shorter`` here
as there. So other programs compute the same distributions.

Our text is a stream in which ``<eos>`` ends each line, and an ``<eos>`` is also the oldest word of
the next line's contexts. ARPA has two words for these roles::

    <eos> as the last word of an n-gram    </s>, which is predicted and never a context
    <eos> as the first of several words    <s>, which begins a context and is never predicted
    <unk>                                  <unk>, for each word outside the vocabulary

The 1-gram ``<s>`` has the back-off weight of ``<eos>`` and, since nothing predicts it, the
probability zero. ARPA has no zero: -99 stands for it. A context without successors has no weight.

Other programs score a line as ``<s> words </s>``, which is our stream cut after each ``<eos>``.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.export.count_pruning import prune_counts
from nextword.export.prune import prune
from nextword.export.suffixes import context_nodes, levels
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.ngram.suffix_links import ngram_probabilities
from nextword.ngram.tree import Tree
from nextword.storage.files import open_output
from nextword.text.vocabulary import END_ID

BEGIN_WORD, END_WORD = "<s>", "</s>"
"""The two roles of an end of a line."""
RESERVED = (BEGIN_WORD, END_WORD, "<UNK>")
"""Words with a meaning of their own in the format; KenLM takes ``<UNK>`` for ``<unk>``."""
LOG_ZERO = -99.0
"""Stands for the logarithm of zero, and for all below."""
COMPRESSION = 6
_BLOCK = 1 << 14
"""Lines made at once."""

Progress = Callable[[int, int], object]


def export_arpa(
    loaded: LoadedModel,
    path: Path,
    thresholds: Sequence[int] = (),
    max_ngrams: int | None = None,
    progress: Progress = lambda done, total: None,
) -> list[int]:
    """Write the n-grams of a model, or those that are mixed with its network.

    The network itself and the weights of the mixture have no place in the format.

    Args:
        loaded: the model.
        path: the file, compressed if its name ends in ``.gz``.
        thresholds: leave out n-grams that occurred at most so often, for each length from one word
            on; see :func:`~nextword.export.count_pruning.prune_counts`.
        max_ngrams: leave out the least important ones of two words or more beyond so many; see
            :func:`~nextword.export.prune.prune`.
        progress: called with the number of n-grams written, and of all.

    Returns:
        The n-grams written of each length.

    Raises:
        ModelError: the model has no n-grams, or counts that are not known are asked for.
        ConfigError: the thresholds make no sense.
        NextwordError: the file cannot be written; nothing of it is left.
    """
    tree = _ngrams_of(loaded)
    if any(thresholds):
        tree = prune_counts(tree, thresholds)
    if max_ngrams is not None:
        tree = prune(tree, loaded.counts, max_ngrams)
    return write_arpa(tree, loaded.tokenizer.words, path, progress)


def _ngrams_of(loaded: LoadedModel) -> Tree:
    model = loaded.model if isinstance(loaded, LoadedNgrams) else loaded.mixture.ngram
    if model is None:
        raise ModelError(
            "ARPA holds n-grams, and the model has none; choose one of kind ngram or one that is "
            "mixed with n-grams"
        )
    return model.tree


def write_arpa(
    tree: Tree,
    words: Sequence[str],
    path: Path,
    progress: Progress = lambda done, total: None,
) -> list[int]:
    """Write a tree; the same tree and words always give the same bytes.

    Args:
        tree: the n-grams.
        words: the vocabulary by id.
        path: the file, compressed if its name ends in ``.gz``.
        progress: called with the number of n-grams written, and of all.

    Returns:
        The n-grams written of each length, ``<s>`` among those of one word.

    Raises:
        ModelError: the vocabulary has a word that is reserved in the format.
        NextwordError: the file cannot be written; nothing of it is left.
    """
    for word in RESERVED:
        if word in words:
            raise ModelError(f"the vocabulary has the word {word}, which is reserved in ARPA")
    sizes = [tree.sizes[0] + 1, *tree.sizes[1:]]
    while sizes[-1] == 0:
        sizes.pop()
    with _open_compressed(path) as file:
        for block in _blocks(tree, words, sizes, progress):
            file.write(block.encode())
    return sizes


@contextmanager
def _open_compressed(path: Path) -> Iterator[BinaryIO]:
    with open_output(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        # without a name and a time, the same content gives the same bytes
        with gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as compressed:
            yield cast(BinaryIO, compressed)


def _blocks(
    tree: Tree, words: Sequence[str], sizes: Sequence[int], progress: Progress
) -> Iterator[str]:
    """The text of the file."""
    counts = "".join(f"ngram {length}={size}\n" for length, size in enumerate(sizes, start=1))
    yield f"\\data\\\n{counts}"
    lines = _Lines(tree, words)
    done, total = 0, sum(sizes)
    for length, level in enumerate(levels(tree)[: len(sizes)], start=1):
        yield f"\n\\{length}-grams:\n"
        for start in range(level.start, level.stop, _BLOCK):
            nodes = np.arange(start, min(start + _BLOCK, level.stop))
            yield "".join(lines.of(nodes, length))
            done += len(nodes)
            progress(done, total)
    yield "\n\\end\\\n"
    progress(total, total)


class _Lines:
    """The lines of n-grams."""

    def __init__(self, tree: Tree, words: Sequence[str]) -> None:
        self._tree = tree
        self._contexts = context_nodes(tree)
        self._log_probabilities = _log10(ngram_probabilities(tree))
        self._log_backoffs = _log10(tree.backoffs.astype(np.float64))
        self._followed = np.diff(tree.offsets) > 0
        # the word of each role that an id can have
        self._last = np.array(words, dtype=object)
        self._last[END_ID] = END_WORD
        self._first = self._last.copy()
        self._first[END_ID] = BEGIN_WORD

    def of(self, nodes: NDArray[np.int64], length: int) -> Iterator[str]:
        """The lines of some n-grams of one length; that of ``<s>`` stands before ``</s>``."""
        columns: list[list[str]] = []
        ancestors = nodes
        for _ in range(length - 1):
            words = self._tree.words[ancestors - self._tree.vocabulary_size]
            columns.insert(0, self._last[words].tolist())
            ancestors = self._contexts[ancestors]
        columns.insert(0, (self._first if length > 1 else self._last)[ancestors].tolist())
        texts = map(" ".join, zip(*columns, strict=True))
        numbers = self._log_probabilities[nodes].tolist()
        backoffs = self._backoffs_of(nodes)
        for number, text, backoff in zip(numbers, texts, backoffs, strict=True):
            if text == END_WORD:
                yield f"{LOG_ZERO:.7f}\t{BEGIN_WORD}{backoff}\n"
                backoff = ""
            yield f"{number:.7f}\t{text}{backoff}\n"

    def _backoffs_of(self, nodes: NDArray[np.int64]) -> list[str]:
        """The fields of back-off weights, with the tabs before them; empty where there is none."""
        inner = nodes[nodes < len(self._followed)]
        written = [
            f"\t{number:.7f}" if followed else ""
            for number, followed in zip(
                self._log_backoffs[inner].tolist(), self._followed[inner].tolist(), strict=True
            )
        ]
        return written + [""] * (len(nodes) - len(inner))


def _log10(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms down to :data:`LOG_ZERO`; without negative zeros, whose sign would be written."""
    logarithms: NDArray[np.float64] = np.log10(np.maximum(probabilities, 10**LOG_ZERO))
    rounded: NDArray[np.float64] = np.minimum(logarithms.round(7), 0) + 0.0
    return rounded
