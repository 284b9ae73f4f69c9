"""Reads a packed model back, so that the program's own measurements can be made of it."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.export.container import ALIGNMENT, TYPES
from nextword.export.quantize import QuantizedMatrix
from nextword.inference.cache import CacheSettings
from nextword.inference.gating import GatingWeights
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork, LoadedNgrams
from nextword.inference.mixture import Mixture
from nextword.ngram.model import NgramModel
from nextword.ngram.tree import Tree

_GZIP = 16 + zlib.MAX_WBITS

Sections = dict[str, NDArray[Any]]


def unpack(packed: bytes, original: LoadedModel) -> LoadedModel:
    """The model as the page has it, with weights in float32.

    Args:
        packed: from :func:`nextword.export.pack.pack`.
        original: gives the words and settings, which packing does not change.
    """
    header, sections = read_container(packed)
    ngram = None
    if header["ngram"] is not None:
        arrays = read_tree(header["ngram"]["sizes"], sections).arrays()
        ngram = NgramModel.from_arrays(arrays, len(header["words"]), header["ngram"]["order"])
    common = (original.tokenizer, original.settings, original.counts)
    if not original.has_network:
        assert ngram is not None
        return LoadedNgrams(ngram, *common)
    weights: Sections = {
        name: array
        for name, array in sections.items()
        if name.endswith("bias") and not name.startswith("ngram.")
    }
    for name in [name.removesuffix(".coarse") for name in sections if name.endswith(".coarse")]:
        parts = {part: sections[f"{name}.{part}"] for part in QuantizedMatrix._fields}
        columns = len(parts["coarse"]) // len(parts["scales"])
        parts["coarse"] = parts["coarse"].reshape(-1, columns)
        parts["fine"] = parts["fine"].reshape(-1, columns)
        weights[name] = QuantizedMatrix(**parts).dequantized()
    cache = {name: value for name, value in header["cache"].items() if name != "share"}
    gates = {
        names.replace("ngrams", "ngram"): GatingWeights(
            **{name: np.array(value) for name, value in stored.items()}
        )
        for names, stored in header["weights"].items()
    }
    loaded = LoadedNetwork(weights, *common)
    return loaded.with_mixture(Mixture(ngram, CacheSettings(**cache), gates))


def read_container(packed: bytes) -> tuple[dict[str, Any], Sections]:
    """The header, and the sections by name."""
    content = zlib.decompress(packed, wbits=_GZIP)
    place = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:place])
    sections: Sections = {}
    for listed in header["sections"]:
        dtype = np.dtype(TYPES[listed["type"]])
        array = np.frombuffer(content, dtype.newbyteorder("<"), listed["length"], place)
        sections[listed["name"]] = array.astype(dtype)
        place += array.nbytes + -array.nbytes % ALIGNMENT
    return header, sections


def read_tree(sizes: list[int], sections: Sections) -> Tree:
    """The tree of n-grams in :mod:`nextword.export.ngram_sections`."""
    words, shares, totals, backoffs = [], [], [sections["ngram.total"]], []
    offsets = np.zeros(1, dtype=np.int64)
    # of the contexts of a length: where the successors of their suffixes begin, as nodes
    bases = np.zeros(sizes[0], dtype=np.int64)
    last_words = np.arange(sizes[0])
    for length in range(2, len(sizes) + 1):
        section = {
            name.removeprefix(f"ngram.{length}."): array
            for name, array in sections.items()
            if name.startswith(f"ngram.{length}.")
        }
        successors = decode_varints(section["successors"])
        context = np.repeat(np.arange(len(successors)), successors)
        starts = successors.cumsum() - successors
        steps = (decode_varints(section["words"]) + 1).cumsum()
        before = np.concatenate([[0], steps])[starts]
        suffixes = bases[context] + steps - before[context] - 1
        last_words = np.concatenate([last_words, last_words[suffixes]])
        total = np.zeros(len(successors))
        total[successors > 0] = section["total_values"][_codes(section["totals"])]
        share = section["share_values"][_codes(section["shares"])] / total[context]
        offsets = np.concatenate([offsets, offsets[-1] + successors.cumsum()])
        words.append(last_words[suffixes])
        shares.append(share.astype(np.float32))
        totals.append(total.astype(np.float32))
        mass = np.bincount(context, shares[-1], minlength=len(successors))
        backoffs.append(np.maximum(1 - mass, 0).astype(np.float32))
        bases = offsets[suffixes] + sizes[0]
    nothing = [np.zeros(0)]
    return Tree(
        sizes=tuple(sizes),
        unigrams=sections["ngram.unigrams"],
        words=np.concatenate(words or nothing).astype(np.int32),
        shares=np.concatenate(shares or nothing).astype(np.float32),
        offsets=offsets.astype(np.int32),
        backoffs=np.concatenate(backoffs or nothing).astype(np.float32),
        totals=np.concatenate(totals),
    )


def decode_varints(encoded: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The inverse of :func:`nextword.export.varints.encode_varints`."""
    last = encoded < 128
    starts = np.flatnonzero(np.append(True, last[:-1]))[: np.count_nonzero(last)]
    places = np.arange(len(encoded)) - np.repeat(starts, np.diff([*starts, len(encoded)]))
    terms = (encoded & 127).astype(np.int64) << (7 * places)
    return np.add.reduceat(terms, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def _codes(planes: NDArray[np.uint8]) -> NDArray[np.int64]:
    low, high = planes.reshape(2, -1).astype(np.int64)
    codes: NDArray[np.int64] = low | high << 8
    return codes
