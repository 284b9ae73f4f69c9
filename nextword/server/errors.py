"""Refusals: a status, one line for people, and the key that is to blame."""

from __future__ import annotations

from typing import Any

from nextword.errors import NextwordError

RETRY_SECONDS = 1
"""After how many seconds a client that was sent away may try again."""


class RequestError(NextwordError):
    """A request that is not answered.

    Args:
        message: one line.
        param: the key of the request that is to blame.
        status: of HTTP.
        code: names the kind of refusal for programs.
    """

    def __init__(
        self, message: str, param: str | None = None, status: int = 400, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.param = param
        self.status = status
        self.code = code

    @property
    def headers(self) -> dict[str, str]:
        """Further headers of the answer."""
        if self.status in (429, 503):
            return {"Retry-After": str(RETRY_SECONDS)}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}

    def as_dict(self) -> dict[str, Any]:
        """The answer's JSON, in the shape that clients of the completions protocol know."""
        return {
            "error": {
                "message": str(self),
                "type": "invalid_request_error" if self.status < 500 else "server_error",
                "param": self.param,
                "code": self.code,
            }
        }


def as_refusal(error: Exception) -> RequestError:
    """The refusal that an error is, or becomes: of any other error, one of the server."""
    return error if isinstance(error, RequestError) else RequestError(str(error), status=500)


def too_large(key: str, message: str) -> RequestError:
    """A text or body over the limits."""
    return RequestError(message, key, status=413, code="too_large")
