"""``/predict``, ``/score`` and ``/generate``: what programs and the page ask for."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs the extra: nextword[serve]")
pytest.importorskip("httpx", reason="Starlette's test client needs httpx")

from starlette.testclient import TestClient

from nextword.server.limits import Limits

TEXT = "Napoleon was the "


def predict(client: TestClient, **body: object) -> dict[str, Any]:
    answered = client.post("/predict", json=body)
    assert answered.status_code == 200, answered.text
    content: dict[str, Any] = answered.json()
    return content


def events(text: str) -> list[Any]:
    """The contents of server-sent events."""
    found = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    return [each if each == "[DONE]" else json.loads(each) for each in found]


def test_predictions_are_those_of_python(client: TestClient, model: SimpleNamespace) -> None:
    answer = predict(client, text=TEXT, k=3)
    wanted = model.model.predict(TEXT, 3, adapt="cache")
    assert [each["word"] for each in answer["predictions"]] == [each.word for each in wanted]
    for each, other in zip(answer["predictions"], wanted, strict=True):
        assert each["probability"] == pytest.approx(other.probability, rel=1e-4)
        assert each.keys() == {"word", "probability", "space", "space_after"}
    assert answer.keys() == {"predictions", "unknown", "typed"}
    assert len(predict(client, text="")["predictions"]) == 5


def test_letters_at_the_end_narrow_the_choice(client: TestClient) -> None:
    answer = predict(client, text=TEXT + "Emp")
    assert answer["typed"] == "Emp"
    assert [each["word"] for each in answer["predictions"]] == ["Emperor"]
    given = predict(client, text=TEXT, prefix="Emp")
    assert given["typed"] == "" and given["predictions"] == answer["predictions"]
    # a prefix that is given leaves the text as it is, even if it is empty
    assert predict(client, text="the zebra", prefix="")["unknown"] == ["zebra"]
    assert predict(client, text="the zebra ")["unknown"] == ["zebra"]
    assert predict(client, text="the zebra")["unknown"] == []


def test_each_word_says_where_its_spaces_are(client: TestClient) -> None:
    marks = {
        each["word"]: each for each in predict(client, text="the sea", prefix=".")["predictions"]
    }
    assert marks["."]["space"] is False
    word = predict(client, text="the ", prefix="sea")["predictions"][0]
    assert word["space"] is True and word["space_after"] is True
    assert predict(client, text="", prefix="sea")["predictions"][0]["space"] is False
    assert predict(client, text="the sea.\n\n", prefix="sea")["predictions"][0]["space"] is False


def test_parts_make_up_the_prediction(client: TestClient) -> None:
    answer = predict(client, text="the cat the cat the ", parts=True, k=4)
    assert answer["shares"].keys() == {"network", "ngrams", "cache"}
    assert sum(answer["shares"].values()) == pytest.approx(1, abs=1e-5)
    for each in answer["predictions"]:
        mixed = sum(answer["shares"][name] * each["parts"][name] for name in answer["shares"])
        assert each["probability"] == pytest.approx(mixed, abs=1e-5)


def test_scores_are_those_of_python(client: TestClient, model: SimpleNamespace) -> None:
    answer = client.post("/score", json={"text": "Napoleon was a zebra."}).json()
    score = model.model.score("Napoleon was a zebra.")
    assert [word["word"] for word in answer["words"]] == [word.word for word in score.words]
    assert answer["words"][0].keys() == asdict(score.words[0]).keys()
    assert answer["summary"]["bits"] == pytest.approx(score.bits, rel=1e-4)
    empty = client.post("/score", json={"text": " "})
    assert empty.status_code == 400 and empty.json()["error"]["param"] == "text"


def test_a_continuation_comes_in_pieces(client: TestClient, model: SimpleNamespace) -> None:
    body = {"text": "Napoleon was", "words": 12, "seed": 4}
    answered = client.post("/generate", json=body)
    assert answered.headers["Content-Type"].startswith("text/event-stream")
    *pieces, last = events(answered.text)
    assert last == {"done": True, "seed": 4}
    wanted = model.model.generate("Napoleon was", 12, seed=4, adapt="cache").text
    assert "Napoleon was" + "".join(piece["text"] for piece in pieces) == wanted
    assert len(pieces) >= 12
    # the space that was typed is not written twice
    *spaced, _ = events(client.post("/generate", json={**body, "text": "Napoleon was "}).text)
    assert "".join(piece["text"] for piece in spaced) == wanted.removeprefix("Napoleon was ")
    seeds = {events(client.post("/generate", json={"text": ""}).text)[-1]["seed"] for _ in "123"}
    assert len(seeds) == 3


def test_answers_do_not_depend_on_others_at_the_same_time(client: TestClient) -> None:
    texts = [TEXT[:length] for length in range(len(TEXT))] * 4
    alone = [predict(client, text=text, parts=True) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: predict(client, text=text, parts=True), texts)) == alone


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/predict", b"", None),
        ("/predict", b"{", None),
        ("/predict", b"[]", None),
        ("/predict", b'"text"', None),
        ("/predict", b"\xff", None),
        ("/predict", b'{"text": NaN}', None),
        ("/predict", b"[" * 100_000, None),
        ("/predict", b'{"text": "a", "k": ' + b"9" * 5000 + b"}", None),
        ("/predict", b"{}", "text"),
        ("/predict", b'{"text": null}', "text"),
        ("/predict", b'{"text": 5}', "text"),
        ("/predict", b'{"text": ["a"]}', "text"),
        ("/predict", b'{"text": "\\ud800"}', "text"),
        ("/predict", b'{"text": "a", "prefix": "\\udfff"}', "prefix"),
        ("/predict", b'{"text": "a", "k": 0}', "k"),
        ("/predict", b'{"text": "a", "k": 1001}', "k"),
        ("/predict", b'{"text": "a", "k": true}', "k"),
        ("/predict", b'{"text": "a", "k": 2.5}', "k"),
        ("/predict", b'{"text": "a", "k": "5"}', "k"),
        ("/predict", b'{"text": "a", "k": 1' + b"0" * 400 + b"}", "k"),
        ("/predict", b'{"text": "a", "parts": 1}', "parts"),
        ("/predict", b'{"text": "a", "\\ud800": 1}', "\\ud800"),
        ("/predict", b'{"text": "a", "prefx": "b"}', "prefx"),
        ("/score", b'{"text": "a", "k": 1}', "k"),
        ("/generate", b'{"text": "a", "words": 0}', "words"),
        ("/generate", b'{"text": "a", "words": 1000000}', "words"),
        ("/generate", b'{"text": "a", "temperature": -1}', "temperature"),
        ("/generate", b'{"text": "a", "temperature": 1e999}', "temperature"),
        ("/generate", b'{"text": "a", "top_p": 0}', "top_p"),
        ("/generate", b'{"text": "a", "top_k": 0}', "top_k"),
        ("/generate", b'{"text": "a", "seed": 1e3}', "seed"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(
    client: TestClient, path: str, body: bytes, param: str | None
) -> None:
    answered = client.post(path, content=body)
    assert answered.status_code == 400
    error = answered.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] == param and "\n" not in error["message"]
    assert param is None or error["message"].startswith(f"{param}: ")


def test_a_misspelled_key_is_named_with_its_neighbour(client: TestClient) -> None:
    answered = client.post("/predict", json={"text": "a", "prefx": "b"})
    assert "did you mean prefix?" in answered.json()["error"]["message"]


def test_what_is_too_large_is_refused(open_client: Callable[..., TestClient]) -> None:
    client = open_client(Limits(body_bytes=500, characters=100, words=20))
    assert client.post("/predict", json={"text": "a" * 100}).status_code == 200
    too_large = [
        client.post("/predict", json={"text": "a" * 101}),
        client.post("/predict", json={"text": "a " * 25}),
        client.post("/score", json={"text": "a " * 25}),
        client.post("/generate", json={"text": "a " * 25}),
        client.post("/v1/completions", json={"prompt": "a " * 25}),
        client.post("/predict", json={"text": "a", "prefix": "b" * 600}),
        # chunks, without a length
        client.post("/predict", content=iter([b'{"text": "'] + [b"a" * 100] * 6)),
    ]
    assert [each.status_code for each in too_large] == [413] * len(too_large)
    assert {each.json()["error"]["code"] for each in too_large} == {"too_large"}


def test_a_queue_turns_away_whoever_fills_it(
    open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nextword.server.workers.usable_cores", lambda: 1)
    client = open_client(Limits(waiting=4))
    service = client.app.state.service  # type: ignore[attr-defined]
    begun, go_on = threading.Event(), threading.Event()

    def slow(*args: object) -> None:
        begun.set()
        go_on.wait()

    workers = service.workers
    blocking = workers._pool.submit(slow)
    assert begun.wait(60)
    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        stack.callback(go_on.set)  # whatever happens, or the worker never ends
        waiting = []
        for queued in (1, 2):  # one after the other: the client is not made for threads that race
            waiting.append(pool.submit(client.post, "/predict", json={"text": "a"}))
            until = time.monotonic() + 20
            while workers.queued < queued and time.monotonic() < until:
                time.sleep(0.001)
            assert workers.queued == queued
        third = client.post("/predict", json={"text": "a"})
        assert third.status_code == 429 and int(third.headers["Retry-After"]) >= 1
        assert client.get("/health").status_code == 200
        workers._waiting["another client"] = 2
        full = client.post("/predict", json={"text": "a"})
        assert full.status_code == 503 and int(full.headers["Retry-After"]) >= 1
        assert client.get("/health").status_code == 503
        del workers._waiting["another client"]
        go_on.set()
        assert [each.result().status_code for each in waiting] == [200, 200]
    blocking.result()
    assert workers.queued == 0 and client.post("/predict", json={"text": "a"}).status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(
    open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nextword.server.workers.usable_cores", lambda: 1)
    client = open_client(Limits(seconds=0.05))
    workers = client.app.state.service.workers  # type: ignore[attr-defined]
    go_on = threading.Event()
    workers._pool.submit(go_on.wait)
    try:
        late = client.post("/predict", json={"text": "a"})
    finally:
        go_on.set()
    assert late.status_code == 503 and late.headers["Retry-After"]
    assert late.json()["error"]["code"] == "timeout"
    go_on.set()
    assert workers.queued == 0


def test_the_page_health_and_counts(client: TestClient) -> None:
    assert "the page" in client.get("/").text
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["model"] == "mixed"
    predict(client, text="xyzzyplugh the ")
    predict(client, text="xyzzyplugh the ")
    client.post("/predict", content=b"{")
    client.get("/xyzzyplugh")
    text = client.get("/metrics").text
    assert 'nextword_requests_total{route="/predict",status="200"} 2' in text
    assert 'nextword_requests_total{route="/predict",status="400"} 1' in text
    assert 'nextword_requests_total{route="other",status="404"} 1' in text
    assert 'nextword_request_seconds_bucket{route="/predict",le="+Inf"} 3' in text
    assert 'nextword_request_seconds_count{route="/predict"} 3' in text
    assert 'nextword_words_total{what="suggested"} 10' in text
    assert "nextword_state_hits_total 1" in text and "nextword_requests_in_flight 1" in text
    assert "xyzzyplugh" not in text


def test_methods_and_paths_that_there_are_not(client: TestClient) -> None:
    for answered, status in ((client.get("/predict"), 405), (client.get("/no"), 404)):
        assert answered.status_code == status and answered.json()["error"]["message"]
