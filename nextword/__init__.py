"""Train networks that predict the next word of a text, and use them.

The public API: every public name is listed here; its module, and torch, are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextword.comparison.comparison import Comparison, compare
    from nextword.config.schema import Config
    from nextword.errors import ConfigError, ModelError, NextwordError, TextError, TrainingError
    from nextword.evaluation.evaluator import Evaluation
    from nextword.inference.sampling import Sampling
    from nextword.inference.session import Prediction, Session
    from nextword.model import Model, load_model
    from nextword.models.registry import register_cell
    from nextword.training.callbacks import Callback
    from nextword.training.result import TrainingResult
    from nextword.training.run import train

__version__ = "0.1.0"

_MODULES = {
    "Callback": "nextword.training.callbacks",
    "Comparison": "nextword.comparison.comparison",
    "Config": "nextword.config.schema",
    "ConfigError": "nextword.errors",
    "Evaluation": "nextword.evaluation.evaluator",
    "Model": "nextword.model",
    "ModelError": "nextword.errors",
    "NextwordError": "nextword.errors",
    "Prediction": "nextword.inference.session",
    "Sampling": "nextword.inference.sampling",
    "Session": "nextword.inference.session",
    "TextError": "nextword.errors",
    "TrainingError": "nextword.errors",
    "TrainingResult": "nextword.training.result",
    "compare": "nextword.comparison.comparison",
    "load_model": "nextword.model",
    "register_cell": "nextword.models.registry",
    "train": "nextword.training.run",
}

__all__ = [  # noqa: PLE0604
    "Callback",
    "Comparison",
    "Config",
    "ConfigError",
    "Evaluation",
    "Model",
    "ModelError",
    "NextwordError",
    "Prediction",
    "Sampling",
    "Session",
    "TextError",
    "TrainingError",
    "TrainingResult",
    "__version__",
    "compare",
    "load_model",
    "register_cell",
    "train",
]


def __getattr__(name: str) -> object:
    """Import a public name's module on first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
