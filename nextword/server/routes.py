"""The server's own calls: predictions, scores, continuations."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from nextword.errors import TextError
from nextword.evaluation.score import Score
from nextword.formatting import plain
from nextword.server.engine import Suggestions
from nextword.server.errors import RequestError
from nextword.server.events import event_stream
from nextword.server.requests import read_fields, sampling_of, seed_of
from nextword.server.service import client_of, service_of

PAGE_POLICY = "frame-ancestors 'none'"
"""The directive that a page cannot set by itself; the rest of its policy is in the HTML."""


async def predict(request: Request) -> Response:
    """``POST /predict``: the words most likely to follow a text."""
    service = service_of(request)
    fields = await read_fields(request, service.limits)
    fields.only(("text", "k", "prefix", "parts"))
    text = fields.text("text")
    k = fields.integer("k", 5, 1, service.limits.predictions)
    prefix, with_parts = fields.optional_text("prefix"), fields.flag("parts")
    job = partial(service.engine().predict, text, k, prefix, with_parts)
    suggestions = await service.workers.run(client_of(request), job)
    service.metrics.words["suggested"] += len(suggestions.predictions)
    return JSONResponse(_suggestions_json(suggestions, with_parts))


def _suggestions_json(suggestions: Suggestions, with_parts: bool) -> dict[str, Any]:
    # dataclasses.asdict copies every number, which takes longer than most predictions
    left_out = () if with_parts else ("parts",)
    return {
        "predictions": [
            {key: value for key, value in vars(suggestion).items() if key not in left_out}
            for suggestion in suggestions.predictions
        ],
        "unknown": suggestions.unknown,
        "typed": suggestions.typed,
        **({"shares": suggestions.shares} if with_parts else {}),
    }


async def score(request: Request) -> Response:
    """``POST /score``: each word of a text with its probability, and the sums."""
    service = service_of(request)
    fields = await read_fields(request, service.limits)
    fields.only(("text",))
    engine, text = service.engine(), fields.text("text")

    def job() -> tuple[Score, Any]:
        result = engine.score(text)
        return result, plain({"words": list(result.words), "summary": result.summary()})

    try:
        result, answer = await service.workers.run(client_of(request), job)
    except TextError as error:
        raise RequestError(f"text: {error}", "text") from None
    service.metrics.words["scored"] += len(result.words)
    return JSONResponse(answer)


async def generate(request: Request) -> Response:
    """``POST /generate``: a continuation as server-sent events."""
    service = service_of(request)
    fields = await read_fields(request, service.limits)
    fields.only(("text", "words", "temperature", "top_k", "top_p", "seed"))
    text, words = fields.text("text"), fields.integer("words", 50, 1, service.limits.generated)
    seed = seed_of(fields)
    pieces = service.engine().generate(text, words, sampling_of(fields), seed)

    async def events() -> AsyncGenerator[list[dict[str, Any]], None]:
        async for batch in service.workers.batches(client_of(request), pieces):
            service.metrics.words["generated"] += len(batch)
            yield [{"text": piece} for piece in batch]
        yield [{"done": True, "seed": seed}]

    return await event_stream(events())


async def health(request: Request) -> Response:
    """``GET /health``: whether the server can answer."""
    service = service_of(request)
    status = "busy" if service.workers.full else "ok"
    content = {"status": status, **service.engine().about}
    headers = None if status == "ok" else RequestError("", status=503).headers
    return JSONResponse(content, 200 if status == "ok" else 503, headers)


async def metrics(request: Request) -> Response:
    """``GET /metrics``: counts in Prometheus's text format."""
    service = service_of(request)
    states = service.engine().states
    others = {
        "queue": ("gauge", "Requests waiting for a worker.", service.workers.queued),
        "state_hits_total": ("counter", "Texts whose state was there.", states.hits),
        "state_misses_total": ("counter", "Texts that were read, or read on.", states.misses),
        "state_bytes": ("gauge", "Memory of the states kept.", states.nbytes),
    }
    lines = service.metrics.lines(others)
    return PlainTextResponse("".join(f"{line}\n" for line in lines))


async def page(request: Request) -> Response:
    """``GET /``: the page, which has a Content-Security-Policy of its own."""
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return HTMLResponse(service_of(request).page_html(), headers=headers)
