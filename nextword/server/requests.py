"""Reads requests: their bodies within the limits, and the parameters of this server's own calls."""

from __future__ import annotations

import anyio
from starlette.requests import Request

from nextword.inference.generation import random_seed
from nextword.inference.sampling import Sampling
from nextword.server.errors import RequestError, too_large
from nextword.server.fields import Fields, parse_object
from nextword.server.limits import Limits

MAX_TEMPERATURE = 100.0
MAX_SEED = 2**63 - 1
MAX_TOP_K = 2**31 - 1
"""Beyond any vocabulary, so that clients need not know its size."""


async def read_fields(request: Request, limits: Limits) -> Fields:
    """The keys of a request's JSON.

    Raises:
        RequestError: the body is too large, does not come in time, or is no JSON object.
    """
    try:
        with anyio.fail_after(limits.seconds):
            body = await _body(request, limits)
    except TimeoutError:
        raise RequestError("the request did not come in time", status=408) from None
    return Fields(parse_object(body), limits)


async def _body(request: Request, limits: Limits) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limits.body_bytes:
        raise _too_large(limits)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.body_bytes:
            raise _too_large(limits)
    return bytes(body)


def _too_large(limits: Limits) -> RequestError:
    return too_large("body", f"the body has more than {limits.body_bytes:,} bytes")


def sampling_of(fields: Fields, top_p: float = Sampling.top_p) -> Sampling:
    """How words are drawn; both protocols have the same keys.

    Args:
        fields: of the request.
        top_p: the default.
    """
    return Sampling(
        temperature=fields.number("temperature", 1.0, 0.0, MAX_TEMPERATURE),
        top_k=fields.optional_integer("top_k", 1, MAX_TOP_K),
        top_p=_top_p(fields, top_p),
    )


def _top_p(fields: Fields, default: float) -> float:
    top_p = fields.number("top_p", default, 0.0, 1.0)
    if top_p == 0:
        raise RequestError("top_p: 0 leaves no word", "top_p")
    return top_p


def seed_of(fields: Fields) -> int:
    """The seed of the random draws; a random one if none is given."""
    seed = fields.optional_integer("seed", -MAX_SEED - 1, MAX_SEED)
    return random_seed() if seed is None else seed
