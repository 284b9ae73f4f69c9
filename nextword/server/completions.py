"""The legacy completions protocol of OpenAI: its parameters, and the JSON of its answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nextword.inference.completion import Completion, CompletionSettings, FinishReason, Token
from nextword.server.errors import RequestError
from nextword.server.fields import Fields
from nextword.server.limits import Limits
from nextword.server.requests import sampling_of, seed_of

MAX_LOGPROBS = 5
MAX_STOPS = 4
NEUTRAL: dict[str, tuple[object, ...]] = {
    "best_of": (None, 1),
    "suffix": (None, ""),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
}
"""Parameters that this server lacks, and the values that change nothing. All others that it does
not know are ignored."""


@dataclass(frozen=True)
class CompletionRequest:
    """The parameters of a request."""

    prompts: list[str | list[int]]
    choices: int
    """Completions of each prompt."""
    settings: CompletionSettings
    stream: bool
    with_usage: bool
    """Whether a stream ends with the numbers of tokens."""

    @classmethod
    def from_fields(cls, fields: Fields, vocabulary: int, limits: Limits) -> CompletionRequest:
        """Check the parameters.

        Raises:
            RequestError: one is invalid, or would change the answer in a way that is not supported.
        """
        for key, neutral in NEUTRAL.items():
            # the best n of n are all of them
            accepted = (*neutral, fields.get("n")) if key == "best_of" else neutral
            if fields.get(key) not in accepted:
                raise RequestError(f"{key}: is not supported by this server", key)
        prompts = _prompts(fields, vocabulary, limits)
        choices = fields.integer("n", 1, 1, limits.choices)
        if len(prompts) * choices > limits.choices:
            raise RequestError(f"n: at most {limits.choices} completions in all", "n")
        options = fields.get("stream_options")
        settings = CompletionSettings(
            max_tokens=fields.integer("max_tokens", 16, 0, limits.generated),
            sampling=sampling_of(fields, top_p=1.0),
            stop=_stops(fields),
            logprobs=fields.optional_integer("logprobs", 0, MAX_LOGPROBS),
            echo=fields.flag("echo"),
            seed=seed_of(fields),
        )
        with_usage = isinstance(options, dict) and options.get("include_usage") is True
        return cls(prompts, choices, settings, fields.flag("stream"), with_usage)

    def settings_of(self, choice: int) -> CompletionSettings:
        """The settings of one of the choices, which differ in their seeds."""
        return replace(self.settings, seed=self.settings.seed + choice)


def _prompts(fields: Fields, vocabulary: int, limits: Limits) -> list[str | list[int]]:
    """The prompts: one or several, as texts or as ids of tokens."""
    given = fields.get("prompt")
    several = isinstance(given, list) and (not given or isinstance(given[0], str | list))
    prompts = given if several else ["" if given is None else given]
    if not prompts or len(prompts) > limits.choices:
        raise RequestError(f"prompt: give from 1 to {limits.choices} prompts", "prompt")
    return [_prompt(fields, prompt, vocabulary) for prompt in prompts]


def _prompt(fields: Fields, given: object, vocabulary: int) -> str | list[int]:
    if not isinstance(given, list):
        return fields.checked_text("prompt", given)
    for number in given:
        if isinstance(number, bool) or not isinstance(number, int):
            raise RequestError("prompt: a list holds something other than ids of tokens", "prompt")
        if not 0 <= number < vocabulary:
            raise RequestError(f"prompt: ids of tokens are from 0 to {vocabulary - 1:,}", "prompt")
    return given


def _stops(fields: Fields) -> tuple[str, ...]:
    given = fields.get("stop")
    stops = given if isinstance(given, list) else [] if given is None else [given]
    if len(stops) > MAX_STOPS:
        raise RequestError(f"stop: give at most {MAX_STOPS} texts", "stop")
    checked = tuple(fields.checked_text("stop", stop) for stop in stops)
    if "" in checked:
        raise RequestError("stop: an empty text would stop at once", "stop")
    return checked


class CompletionAnswer:
    """The JSON of an answer.

    Args:
        model: its name.
        settings: of the request.
    """

    def __init__(self, model: str, settings: CompletionSettings) -> None:
        self.settings = settings
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }

    def choice(
        self,
        index: int,
        tokens: Sequence[Token],
        finish_reason: FinishReason | None,
        offset: int = 0,
    ) -> dict[str, Any]:
        """A choice, or the next piece of one in a stream.

        Args:
            index: of the choice.
            tokens: its tokens, or the next ones.
            finish_reason: None as long as more may come.
            offset: characters of the choice before these tokens.
        """
        return {
            "text": "".join(token.text for token in tokens),
            "index": index,
            "logprobs": None
            if self.settings.logprobs is None
            else _logprobs(tokens, offset, bool(self.settings.logprobs)),
            "finish_reason": finish_reason,
        }

    def whole(self, choices: list[dict[str, Any]], usage: dict[str, int] | None) -> dict[str, Any]:
        """An answer, or a piece of a stream, for which ``usage`` is None but at its end."""
        return {**self._head, "choices": choices, **({} if usage is None else {"usage": usage})}


def _logprobs(tokens: Sequence[Token], offset: int, with_top: bool) -> dict[str, Any]:
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.log_probability for token in tokens],
        "top_logprobs": [token.top for token in tokens] if with_top else None,
        "text_offset": offsets,
    }


def usage_of(completions: Iterable[Completion], choices: int) -> dict[str, int]:
    """The numbers of tokens of an answer.

    Args:
        completions: those of each prompt after the other.
        choices: how many each prompt has.
    """
    completions = list(completions)
    prompt = sum(len(completion.prompt.slices) for completion in completions[::choices])
    generated = sum(completion.generated for completion in completions)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": generated,
        "total_tokens": prompt + generated,
    }
