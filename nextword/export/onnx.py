"""A network as an ONNX model, for the runtimes that other programs have.

The model is the network alone, the ids of words in and log-probabilities out;
:mod:`nextword.export.onnx_graph` puts it together.
"""

from __future__ import annotations

from nextword.errors import ModelError, NextwordError
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork
from nextword.inference.networks import NETWORKS

MAX_BYTES = 2**31 - 2**20
"""Size of the weights up to which one file holds them: ONNX files are below 2 GiB."""


def onnx_model(loaded: LoadedModel) -> bytes:
    """The content of an ONNX file; the same model always gives the same bytes.

    Its inputs, outputs and metadata are described in ``docs/formats.md``.

    Args:
        loaded: a network; its mixture is left out, see :func:`left_out`.

    Raises:
        ModelError: ONNX cannot hold a model of this kind or size.
        NextwordError: the ``onnx`` package is not installed.
    """
    kind = loaded.architecture.kind
    if not isinstance(loaded, LoadedNetwork):
        raise ModelError(f"a model of kind {kind} has no network, and ONNX holds networks alone")
    if kind not in NETWORKS:
        raise ModelError(f"ONNX has no cell of kind {kind}, only {', '.join(NETWORKS)}")
    size = sum(array.nbytes for array in loaded.arrays().values())
    if size > MAX_BYTES:
        raise ModelError(f"{size / 1e9:.1f} GB of weights are more than an ONNX file can hold")
    try:
        from nextword.export.onnx_graph import network_model
    except ImportError as error:
        raise NextwordError("ONNX needs the onnx package: pip install 'nextword[onnx]'") from error
    return network_model(loaded)


def left_out(loaded: LoadedModel) -> str:
    """What the ONNX model lacks of a model's predictions, in a sentence; empty if nothing."""
    if loaded.mixture.ngram is None:
        return ""
    return (
        "the ONNX model is the network alone: it lacks the n-grams that are mixed with it here, so "
        "its probabilities differ"
    )
