"""The completions protocol, as its documentation describes requests and answers."""

import json
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs the extra: nextword[serve]")
pytest.importorskip("httpx", reason="Starlette's test client needs httpx")

from starlette.testclient import TestClient

PROMPT = "Napoleon was the Emperor"


def complete(client: TestClient, **body: object) -> dict[str, Any]:
    answered = client.post("/v1/completions", json={"model": "any", "seed": 1, **body})
    assert answered.status_code == 200, answered.text
    content: dict[str, Any] = answered.json()
    return content


def streamed(client: TestClient, **body: object) -> list[Any]:
    body = {"model": "any", "seed": 1, "stream": True, **body}
    with client.stream("POST", "/v1/completions", json=body) as answered:
        text = "".join(answered.iter_text())
    *contents, done = [part.removeprefix("data: ") for part in text.split("\n\n") if part]
    assert done == "[DONE]"
    return [json.loads(content) for content in contents]


def test_models(client: TestClient) -> None:
    listed = client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [(each["id"], each["object"]) for each in listed["data"]] == [("mixed", "model")]


def test_an_answer_has_the_shape_of_the_protocol(client: TestClient) -> None:
    answer = complete(client, prompt=PROMPT)
    assert answer["id"].startswith("cmpl-") and answer["object"] == "text_completion"
    assert answer["model"] == "mixed" and isinstance(answer["created"], int)
    (choice,) = answer["choices"]
    assert choice.keys() == {"text", "index", "logprobs", "finish_reason"}
    assert (choice["index"], choice["logprobs"], choice["finish_reason"]) == (0, None, "length")
    assert answer["usage"] == {"prompt_tokens": 4, "completion_tokens": 16, "total_tokens": 20}
    assert complete(client, prompt=PROMPT)["choices"] == answer["choices"]
    assert complete(client, prompt=PROMPT, seed=2)["choices"] != answer["choices"]


def test_log_probabilities_and_echo(client: TestClient) -> None:
    (choice,) = complete(client, prompt=PROMPT, max_tokens=3, logprobs=2, echo=True)["choices"]
    found = choice["logprobs"]
    assert found.keys() == {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
    assert {len(column) for column in found.values()} == {7}
    assert "".join(found["tokens"]) == choice["text"] and choice["text"].startswith(PROMPT)
    for token, offset in zip(found["tokens"], found["text_offset"], strict=True):
        assert choice["text"][offset : offset + len(token)] == token
    assert found["token_logprobs"][0] is None and found["top_logprobs"][0] is None
    for token, own, top in list(
        zip(found["tokens"], found["token_logprobs"], found["top_logprobs"], strict=True)
    )[1:]:
        assert own <= 0 and top[token] == own and 2 <= len(top) <= 3
    bare = complete(client, prompt=PROMPT, max_tokens=3, logprobs=0, echo=True)
    assert bare["choices"][0]["logprobs"]["top_logprobs"] is None
    assert bare["choices"][0]["logprobs"]["tokens"] == found["tokens"]


def test_an_evaluation_reads_the_prompt_alone(client: TestClient) -> None:
    answer = complete(client, prompt=PROMPT, max_tokens=0, logprobs=1, echo=True, temperature=0)
    assert answer["choices"][0]["text"] == PROMPT
    assert answer["usage"]["completion_tokens"] == 0


@pytest.mark.parametrize(
    ("prompt", "number"),
    [("the", 1), (["the", "my sister"], 2), ([2, 3], 1), ([[2, 3], [4]], 2), (None, 1), ([], 0)],
)
def test_prompts_in_all_forms(client: TestClient, prompt: object, number: int) -> None:
    answered = client.post("/v1/completions", json={"prompt": prompt, "max_tokens": 2})
    assert answered.status_code == (200 if number else 400)
    if number:
        assert [each["index"] for each in answered.json()["choices"]] == [*range(number)]


def test_several_choices_of_each_prompt(client: TestClient) -> None:
    answer = complete(client, prompt=["the", "my"], n=3, max_tokens=8)
    texts = [choice["text"] for choice in answer["choices"]]
    assert [choice["index"] for choice in answer["choices"]] == [*range(6)]
    assert len(set(texts)) > 3
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 48, "total_tokens": 50}
    assert complete(client, prompt="my", max_tokens=8)["choices"][0]["text"] == texts[3]


def test_a_stop_ends_a_text(client: TestClient) -> None:
    whole = complete(client, prompt=PROMPT, max_tokens=20)["choices"][0]["text"]
    stop = whole[10:14]
    for given in (stop, [stop, "never so"]):
        (choice,) = complete(client, prompt=PROMPT, max_tokens=20, stop=given)["choices"]
        assert choice["text"] == whole[: whole.index(stop)] and choice["finish_reason"] == "stop"


def test_a_stream_is_the_same_answer_in_pieces(client: TestClient) -> None:
    options = {"prompt": ["the", "my"], "max_tokens": 6, "logprobs": 1, "echo": True}
    whole = complete(client, **options)
    pieces = streamed(client, **options, stream_options={"include_usage": True})
    assert pieces[-1]["choices"] == [] and pieces[-1]["usage"] == whole["usage"]
    assert len({piece["id"] for piece in pieces}) == 1
    for choice in whole["choices"]:
        own = [
            each
            for piece in pieces
            for each in piece["choices"]
            if each["index"] == choice["index"]
        ]
        assert "".join(each["text"] for each in own) == choice["text"]
        assert [each["finish_reason"] for each in own] == [None] * (len(own) - 1) + ["length"]
        for key, column in choice["logprobs"].items():
            assert [value for each in own for value in each["logprobs"][key]] == column


def test_parameters_that_change_nothing_are_accepted(client: TestClient) -> None:
    neutral: dict[str, object] = {
        "best_of": 1,
        "suffix": None,
        "logit_bias": {},
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "user": "someone",
        "unknown": [1],
    }
    assert complete(client, prompt="the", n=None, stop=None, **neutral)["choices"]
    assert len(complete(client, prompt="the", n=2, best_of=2)["choices"]) == 2


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"best_of": 2}, "best_of"),
        ({"suffix": "end"}, "suffix"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": [True]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": [10**30]}, "prompt"),
        ({"prompt": [[1], "a", [[2]]]}, "prompt"),
        ({"prompt": ["a"] * 200}, "prompt"),
        ({"prompt": ["a"] * 20, "n": 20}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"echo": 1}, "echo"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": ""}, "stop"),
        ({"stop": {}}, "stop"),
        ({"seed": 2**70}, "seed"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    client: TestClient, body: dict[str, object], param: str
) -> None:
    answered = client.post("/v1/completions", json={"prompt": "the", **body})
    assert answered.status_code == 400, answered.text
    error = answered.json()["error"]
    assert error["param"] == param and error["message"].startswith(f"{param}: ")
    assert error["type"] == "invalid_request_error"
