"""Server-sent events: an answer piece by piece."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse

from nextword.errors import NextwordError
from nextword.server.errors import as_refusal

DONE = "[DONE]"
"""The last event of the completions protocol."""


async def event_stream(events: AsyncGenerator[list[Any], None]) -> StreamingResponse:
    """A response that sends each event as soon as it is there.

    The first events are awaited here, so that a refusal still has its own status. A client that
    goes away ends the iterator.

    Args:
        events: batches of contents, JSON or :data:`DONE`.
    """
    first: list[Any] = await anext(events, [])

    async def body() -> AsyncIterator[str]:
        async with aclosing(events):
            yield _written(first)
            try:
                async for batch in events:
                    yield _written(batch)
            except NextwordError as error:
                yield _written([as_refusal(error).as_dict()])

    return StreamingResponse(body(), media_type="text/event-stream")


def _written(batch: list[Any]) -> str:
    return "".join(
        f"data: {event if event == DONE else json.dumps(event, ensure_ascii=False)}\n\n"
        for event in batch
    )
