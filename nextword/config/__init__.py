"""The configuration: a documented schema, filled from flags, variables and YAML."""

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
