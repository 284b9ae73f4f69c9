"""The errors a user can cause; each is one clear line and carries its exit code.

Everything else that escapes is a bug and may show its traceback.
"""


class NextwordError(Exception):
    """Something outside the program is wrong: a file, a disk, a model folder. Exit code 1."""

    exit_code = 1


class ConfigError(NextwordError):
    """A configuration (YAML, flag or variable) asks for what cannot be. Exit code 2.

    The message holds one line for every problem found, so that a file is mended once.
    """

    exit_code = 2


class TextError(NextwordError):
    """A text cannot be read, or holds too little to work with."""


class ModelError(NextwordError):
    """A model folder or run folder is missing, damaged or not ours."""


class TrainingError(NextwordError):
    """Training cannot go on; the message says what to change."""
