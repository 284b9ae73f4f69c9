"""The errors a user can cause; each is one clear line and carries its exit code.

Everything else that escapes is a bug and may show its traceback.
"""

TORCH_MISSING = "this needs PyTorch, which is not installed here: pip install torch"


class NextwordError(Exception):
    """Something outside the program is wrong: a file, a disk, a model folder. Exit code 1."""

    exit_code = 1


class ConfigError(NextwordError):
    """A value of the configuration (YAML, flag or variable) is invalid. Exit code 2.

    The message has one line per problem, so that all can be fixed at once.
    """

    exit_code = 2


class TextError(NextwordError):
    """A text cannot be read, or is too short to work with."""


class ModelError(NextwordError):
    """A model folder or run folder is missing, corrupt or not one of nextword."""


class TrainingError(NextwordError):
    """Training cannot go on; the message says what to change."""
