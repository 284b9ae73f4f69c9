"""The Hub's errors as one line each."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nextword.errors import ModelError, NextwordError
from nextword.storage.files import unwritable

LOGIN = "log in with `hf auth login`, or set HF_TOKEN to a token of your account"
_TRANSPORT = ("httpcore", "httpx", "httpx2", "requests", "urllib3")
"""The libraries that huggingface_hub sends with, depending on its version."""
_STATUS = {
    401: f"the Hub does not accept the token; {LOGIN}",
    403: "you may not write there; choose a name of your own account, or a token that may write",
    409: "the name is taken; choose another",
    412: "somebody else pushed at the same time; push again",
    413: "the Hub refuses a model of this size",
    429: "the Hub wants fewer requests; try again later",
}
_REASON = 160
"""Characters of a reason in another program's words, at most."""


@contextmanager
def hub_errors(location: str, folder: Path | None = None) -> Iterator[None]:
    """Turn what the Hub's library raises into one line, and leave out what it warns of.

    Args:
        location: the repository, for the message.
        folder: the folder that is written to, if any.

    Raises:
        ModelError: the repository or the revision does not exist.
        NextwordError: any other trouble.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except NextwordError:
        raise
    except Exception as error:
        user_error = _user_error(error, location, folder)
        if user_error is None:
            raise
        raise user_error from error


def _user_error(error: Exception, location: str, folder: Path | None) -> NextwordError | None:
    """The error for a user; None for a bug."""
    from huggingface_hub import errors

    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return _user_error(error.__cause__, location, folder)  # the library's own wrapping
    if isinstance(error, errors.GatedRepoError):
        return ModelError(f"{location}: ask for access on its page; it is not given to everyone")
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelError(f"{location}: has no such revision")
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelError(
            f"{location}: no such repository, or a private one of somebody else; if it is yours, "
            f"{LOGIN}"
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return NextwordError(f"{location}: HF_HUB_OFFLINE forbids connections; unset it")
    if isinstance(error, errors.LocalEntryNotFoundError) or _of_transport(error):
        reason = _one_line(error.__cause__ or error)
        return NextwordError(f"{location}: the connection to the Hub failed ({reason}); try again")
    if isinstance(error, errors.HfHubHTTPError):
        return NextwordError(f"{location}: {_of_status(error.response.status_code)}")
    if isinstance(error, OSError) and error.errno is not None and folder is not None:
        return unwritable(folder, error)
    if isinstance(error, OSError | ValueError):  # such as a transfer that was cut short
        return NextwordError(f"{location}: {_one_line(error)}")
    return None


def _of_status(status: int) -> str:
    if status >= 500:
        return f"the Hub has trouble of its own (HTTP {status}); try again later"
    return _STATUS.get(status, f"the Hub refuses it (HTTP {status})")


def _of_transport(error: Exception) -> bool:
    own = type(error).__module__.partition(".")[0] in _TRANSPORT
    return own or getattr(error, "errno", None) in (errno.ECONNREFUSED, errno.ECONNRESET)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:_REASON] or type(error).__name__
