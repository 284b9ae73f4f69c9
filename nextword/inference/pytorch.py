"""Networks in PyTorch: on a GPU, in dynamic evaluation, or of a kind without NumPy equations.

Only the network's own distributions come from PyTorch; n-grams, cache and mixture stay in NumPy.
Inference imports this module through :mod:`nextword.inference.lazy_pytorch` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from pydantic import ValidationError

from nextword.config.schema import ModelConfig
from nextword.device import to_numpy
from nextword.errors import ModelError
from nextword.inference.decoder import NetworkDecoder
from nextword.inference.dynamic import DynamicDecoder as DynamicDecoder
from nextword.inference.loaded_model import Counts, LoadedNetwork
from nextword.inference.networks import Shapes, Weights
from nextword.inference.torch_decoder import TorchDecoder as TorchDecoder
from nextword.models.base import LanguageModel
from nextword.models.registry import build_network
from nextword.text.tokenizer import Tokenizer


class TorchNetwork(LoadedNetwork):
    """A network in PyTorch, such as one that is being trained.

    On the CPU it answers in NumPy like any other, from the memory of the same weights.

    Args:
        model: the network, on any device.
        tokenizer: splits text into the model's words.
        settings: the ``model`` section, as JSON has it.
        counts: ``(vocabulary,)``.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        settings: Mapping[str, Any],
        counts: Counts,
    ) -> None:
        super().__init__({}, tokenizer, settings, counts)
        self.model = model

    def arrays(self) -> Weights:
        named = self.model.named_parameters()
        return to_numpy({name: parameter.detach() for name, parameter in named})

    @property
    def device(self) -> str:
        return str(self.model.output.weight.device)

    def to(self, device: str) -> TorchNetwork:
        self.model.to(device)
        return self

    def network_decoder(self) -> NetworkDecoder:
        return super().network_decoder() if self.device == "cpu" else TorchDecoder(self.model)

    @property
    def network(self) -> LanguageModel:
        return self.model


def on_device(loaded: LoadedNetwork, device: str) -> TorchNetwork:
    """A copy of a network on a device, with the same mixture and gradient sizes."""
    network = TorchNetwork(loaded.network, loaded.tokenizer, loaded.settings, loaded.counts)
    network.mixture, network.gradients = loaded.mixture, loaded.gradients
    return network.to(device)


def shapes(settings: Mapping[str, Any], vocabulary_size: int) -> Shapes:
    """The shape of each weight of a network; none if PyTorch cannot hold so large a network."""
    with suppress(RuntimeError, TypeError, ValueError, OverflowError), torch.device("meta"):
        model = build_network(_config(settings), vocabulary_size)
        return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    return {}


def build(loaded: LoadedNetwork) -> LanguageModel:
    """The network of a loaded model in PyTorch, on the CPU.

    Raises:
        ModelError: its settings describe none.
    """
    # the fresh weights are overwritten, and must not use up the caller's random numbers
    with torch.random.fork_rng(devices=[]):
        model = build_network(_config(loaded.settings), len(loaded.tokenizer))
    with torch.no_grad():
        for name, array in loaded.arrays().items():
            model.get_parameter(name).copy_(torch.tensor(array))
    return model.eval()


def _config(settings: Mapping[str, Any]) -> ModelConfig:
    """The ``model`` section. Raises ModelError."""
    try:
        # the file that `vectors` names need not exist
        return ModelConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("model", *first["loc"]))
        raise ModelError(f"config.json: {key}: {first['msg']}") from None
