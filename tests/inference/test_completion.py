"""Completions as tokens: their texts, log-probabilities, and where they stop."""

from collections.abc import Callable

import numpy as np
import pytest

from nextword.inference.completion import (
    Completion,
    CompletionSettings,
    Prompt,
    Token,
    first_stop,
    longest_beginning,
)
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.sampling import Sampling
from nextword.inference.session import Session
from nextword.inference.states import StateCache

GREEDY = Sampling(temperature=0, top_p=1.0)
PROMPT = "an ant was , the zebra\n\nwar"


@pytest.fixture
def complete(untrained: Callable[..., TorchNetwork]) -> Callable[..., Completion]:
    network = untrained(kind="gru")
    states = StateCache(lambda: Session(network, network.session_adapt), 1 << 20)

    def make(prompt: str | list[int], **settings: object) -> Completion:
        read = Prompt.from_text if isinstance(prompt, str) else Prompt.from_ids
        options = CompletionSettings(**settings)  # type: ignore[arg-type]
        return Completion(network, states, read(network.tokenizer, prompt), options)  # type: ignore[arg-type]

    return make


def joined(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def test_an_echo_is_the_prompt_then_what_would_come_without(
    complete: Callable[..., Completion],
) -> None:
    alone = list(complete(PROMPT, max_tokens=8, seed=2))
    echoed = list(complete(PROMPT, max_tokens=8, seed=2, echo=True))
    assert joined(echoed) == PROMPT + joined(alone) and echoed[-8:] == alone
    pieces = ["an", " ant", " was", " ,", " the", " zebra", "\n\n", "war"]
    assert [token.text for token in echoed[:8]] == pieces
    nothing = complete(PROMPT, max_tokens=0, echo=True)
    assert joined(list(nothing)) == PROMPT
    assert (nothing.generated, nothing.finish_reason) == (0, "length")


def test_ids_are_the_same_prompt(complete: Callable[..., Completion]) -> None:
    text, ids = "an ant was", [3, 5, 12]
    one, other = (
        list(complete(prompt, max_tokens=5, logprobs=3, echo=True)) for prompt in (text, ids)
    )
    assert one == other


def test_log_probabilities_are_those_of_the_model(complete: Callable[..., Completion]) -> None:
    completion = complete(PROMPT, max_tokens=4, logprobs=2, echo=True)
    tokens = list(completion)
    loaded, ids = completion.loaded, completion.prompt.tokenized.ids.tolist()
    session = Session(loaded, loaded.session_adapt)
    assert tokens[0] == Token("an")  # predicted from nothing
    for number, token in zip(ids, tokens, strict=False):
        if token is not tokens[0]:
            expected = session.log_probabilities()[number]
            assert token.log_probability == pytest.approx(float(expected), abs=1e-4)
            assert token.top is not None and token.top[token.text] == token.log_probability
            others = np.sort(np.delete(session.log_probabilities()[1:], number - 1))[::-1]
            found = sorted((v for t, v in token.top.items() if t != token.text), reverse=True)
            assert found == pytest.approx(others[: len(found)].tolist(), abs=1e-4)
            assert 2 <= len(token.top) <= 3
        session.read_ids([number])


def test_the_likeliest_token_is_drawn_and_heads_the_list(
    complete: Callable[..., Completion],
) -> None:
    for token in complete("an ant", max_tokens=10, sampling=GREEDY, logprobs=5):
        assert token.top is not None
        before_repeated_end = max(token.top, key=lambda text: token.top[text])  # type: ignore[index]
        assert token.text == before_repeated_end or before_repeated_end == "\n\n"


def test_a_space_that_was_typed_is_not_written_again(complete: Callable[..., Completion]) -> None:
    (first,) = complete("an ant", max_tokens=1, sampling=GREEDY, logprobs=1)
    (other,) = complete("an ant ", max_tokens=1, sampling=GREEDY, logprobs=1)
    assert first.text == " " + other.text
    assert first.log_probability == other.log_probability
    assert other.top is not None and other.text in other.top


def test_a_text_ends_before_the_first_stop(complete: Callable[..., Completion]) -> None:
    whole = joined(list(complete("an", max_tokens=30, seed=5)))
    for start in (1, 7, 20):
        for length in (1, 3, 9):
            stop = whole[start : start + length]
            completion = complete("an", max_tokens=30, seed=5, stop=("never so", stop))
            assert joined(list(completion)) == whole[: whole.index(stop)]
            assert completion.finish_reason == "stop" and completion.generated <= 30
    ended = complete("an", max_tokens=30, seed=5, stop=("never so",))
    assert joined(list(ended)) == whole and ended.finish_reason == "length"


def test_nothing_is_released_that_may_belong_to_a_stop(complete: Callable[..., Completion]) -> None:
    tokens = [token.text for token in complete("an", max_tokens=6, seed=5)]
    stop = "".join(tokens[2:4])
    completion = complete("an", max_tokens=6, seed=5, stop=(stop + "!",))
    released = iter(completion)
    assert [next(released).text for _ in range(2)] == tokens[:2]
    assert completion.generated == 2 or tokens[2][0] == stop[0]
    next(released)
    assert completion.generated > 3  # the third token was held until more was known


def test_stops_and_their_beginnings() -> None:
    assert first_stop("one two", ["two", "ne"]) == 1
    assert first_stop("one", []) is None and first_stop("one", ["two"]) is None
    assert longest_beginning("one tw", ["two", "one"]) == 2
    assert longest_beginning("one two", ["two", "onx"]) == 1
    assert longest_beginning("one two", ["twos", "nx"]) == 3
    assert longest_beginning("one", ["two", "one", ""]) == 0
    assert longest_beginning("\n", ["\n\n"]) == 1
