"""``/v1``: the completions protocol that existing clients speak."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nextword.inference.completion import Completion, Token
from nextword.server.completions import CompletionAnswer, CompletionRequest, usage_of
from nextword.server.errors import RequestError
from nextword.server.events import DONE, event_stream
from nextword.server.requests import read_fields
from nextword.server.service import Service, client_of, service_of
from nextword.server.workers import out_of_time

STARTED = int(time.time())
"""The server's start, for which the protocol has ``created``; in seconds since 1970."""


async def models(request: Request) -> Response:
    """``GET /v1/models``."""
    name = service_of(request).engine().name
    model = {"id": name, "object": "model", "created": STARTED, "owned_by": "nextword"}
    return JSONResponse({"object": "list", "data": [model]})


async def completions(request: Request) -> Response:
    """``POST /v1/completions``."""
    service = service_of(request)
    fields = await read_fields(request, service.limits)
    engine = service.engine()
    asked = CompletionRequest.from_fields(fields, len(engine.loaded.tokenizer), service.limits)

    def prepare() -> list[Completion]:
        """The completions, each prompt's choices together."""
        prompts = [engine.prompt(prompt) for prompt in asked.prompts]
        return [
            engine.complete(prompt, asked.settings_of(choice))
            for prompt in prompts
            for choice in range(asked.choices)
        ]

    prepared = await service.workers.run(client_of(request), prepare)
    answer = CompletionAnswer(engine.name, asked.settings)
    if asked.stream:
        return await event_stream(_events(service, request, asked, prepared, answer))
    until = time.monotonic() + service.limits.seconds
    choices = []
    for index, completion in enumerate(prepared):
        tokens: list[Token] = []
        async for batch in service.workers.batches(client_of(request), iter(completion)):
            tokens += batch
            if time.monotonic() > until:
                raise out_of_time(service.limits)
            if await request.is_disconnected():
                raise RequestError("the client has gone", status=499)
        choices.append(answer.choice(index, tokens, completion.finish_reason))
    service.metrics.words["generated"] += sum(completion.generated for completion in prepared)
    return JSONResponse(answer.whole(choices, usage_of(prepared, asked.choices)))


async def _events(
    service: Service,
    request: Request,
    asked: CompletionRequest,
    prepared: list[Completion],
    answer: CompletionAnswer,
) -> AsyncGenerator[list[Any], None]:
    """The events of a stream: each choice token by token, one choice after the other."""
    for index, completion in enumerate(prepared):
        offset = 0
        async for batch in service.workers.batches(client_of(request), iter(completion)):
            events = []
            for token in batch:
                events.append(answer.whole([answer.choice(index, [token], None, offset)], None))
                offset += len(token.text)
            yield events
        reason = completion.finish_reason
        yield [answer.whole([answer.choice(index, [], reason, offset)], None)]
        service.metrics.words["generated"] += completion.generated
    usage = [answer.whole([], usage_of(prepared, asked.choices))] if asked.with_usage else []
    yield [*usage, DONE]
