"""nextword: trains networks that predict the next word of a text, and asks them.

The public names load torch only when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from nextword.version import __version__

if TYPE_CHECKING:
    from nextword.inference.session import Prediction
    from nextword.model import Model, load_model
    from nextword.training.run import train


__all__ = ["Prediction", "Model", "__version__", "load_model", "train"]

_HOMES = {
    "Prediction": "nextword.inference.session",
    "Model": "nextword.model",
    "load_model": "nextword.model",
    "train": "nextword.training.run",
}


def __getattr__(name: str) -> object:
    """Import a public name's module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
