"""What a run is told: the documented schema, and how flags, variables and YAML fill it."""

from nextword.config.load import dump_config, find_config, load_config, parse_assignments
from nextword.config.reference import describe_config
from nextword.config.schema import (
    Config,
    Holdout,
    ModelConfig,
    TextConfig,
    TrainingConfig,
    VocabularyConfig,
    WindowsConfig,
)

__all__ = [
    "Config",
    "Holdout",
    "ModelConfig",
    "TextConfig",
    "TrainingConfig",
    "VocabularyConfig",
    "WindowsConfig",
    "describe_config",
    "dump_config",
    "find_config",
    "load_config",
    "parse_assignments",
]
