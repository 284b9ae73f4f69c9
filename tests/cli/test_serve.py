"""``nextword serve``: starts, says where, refuses to start openly, and stops in an orderly way."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("starlette", reason="needs the extra: nextword[serve]")
pytest.importorskip("uvicorn", reason="needs the extra: nextword[serve]")

Cli = Callable[..., SimpleNamespace]
SECRET = "xyzzyplugh"


class Running:
    """A server in a process of its own."""

    def __init__(self, home: Path, *options: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nextword", "serve", "--port", "0", *options],
            cwd=home,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.first_line = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.first_line)
        assert found is not None, self.first_line + self.process.stderr.read()
        self.connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)

    def ask(self, path: str, **body: object) -> http.client.HTTPResponse:
        """Send a POST request, and return the answer, whose body is still to be read."""
        self.connection.request("POST", path, json.dumps(body))
        return self.connection.getresponse()

    def end(self, number: signal.Signals) -> SimpleNamespace:
        """Send a signal; the exit code, and what was written since the first line."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return SimpleNamespace(code=self.process.returncode, out=out, err=err)


@pytest.fixture
def start(tiny_run: SimpleNamespace) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*options: str, **variables: str) -> Running:
        running.append(Running(tiny_run.home, *options, **variables))
        return running[-1]

    yield begin
    for server in running:
        server.connection.close()
        server.process.kill()
        server.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_answer_finish(
    start: Callable[..., Running], number: signal.Signals
) -> None:
    server = start()
    assert server.first_line.startswith("tiny answers at http://127.0.0.1:")
    answered = server.ask("/generate", text=SECRET, words=1500, seed=1)
    begun = answered.read1()
    assert begun.startswith(b"data: ") and b"done" not in begun
    server.process.send_signal(number)
    *_, last = answered.read().strip().split(b"\n\n")
    assert json.loads(last.removeprefix(b"data: ")) == {"done": True, "seed": 1}
    out, err = server.process.communicate(timeout=60)
    assert (server.process.returncode, out) == (0, "")
    assert err == "Finishing running requests.\n"


def test_a_client_that_goes_away_stops_the_work(start: Callable[..., Running]) -> None:
    server = start()
    server.ask("/generate", text="the", words=4096, seed=1).read1()
    server.connection.close()
    in_flight = generated = ""
    until = time.monotonic() + 60
    while in_flight != "1" and time.monotonic() < until:  # this request itself
        server.connection.request("GET", "/metrics")
        counts = server.connection.getresponse().read().decode()
        in_flight = re.findall(r"^nextword_requests_in_flight (\d+)", counts, re.M)[0]
        generated = re.findall(r'^nextword_words_total{what="generated"} (\d+)', counts, re.M)[0]
    assert in_flight == "1" and 0 < int(generated) < 4096


def test_no_text_is_logged_whatever_becomes_of_it(start: Callable[..., Running]) -> None:
    server = start()
    for path, body in (
        ("/predict", {"text": SECRET}),
        ("/predict", {SECRET: SECRET}),
        ("/score", {"text": f"{SECRET} the"}),
        (f"/{SECRET}?text={SECRET}", {}),
        ("/v1/completions", {"prompt": SECRET, "stop": [SECRET] * 9}),
    ):
        server.ask(path, **body).read()
    ended = server.end(signal.SIGTERM)
    assert ended.code == 0 and SECRET not in ended.err + ended.out


def test_a_token_is_asked_for_and_shown_in_the_pages_address(
    start: Callable[..., Running],
) -> None:
    server = start(NEXTWORD_SERVE_TOKEN="s3cret")
    assert server.first_line.split()[3].endswith("/#token=s3cret")
    refused = server.ask("/predict", text="the")
    assert refused.status == 401
    refused.read()
    server.connection.request(
        "POST", "/predict", '{"text": "the"}', {"Authorization": "Bearer s3cret"}
    )
    assert server.connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--host", "0.0.0.0"], 2, "NEXTWORD_SERVE_TOKEN"),
        (["--host", "::"], 2, "NEXTWORD_SERVE_TOKEN"),
        (["--host", "example.com"], 2, "NEXTWORD_SERVE_TOKEN"),
        (["--host", "0.0.0.0", "--token", ""], 2, "NEXTWORD_SERVE_TOKEN"),
        (["--token", "two words"], 2, "--token"),
        (["--token", "é"], 2, "--token"),
        (["--port", "70000"], 2, "--port"),
        (["nothing"], 1, "nothing"),
        (["tiny", "--model", "tiny"], 2, "not both"),
        (["--host", "no such host", "--token", "s3cret"], 1, "--host no such host"),
    ],
)
def test_a_mistake_is_one_line(
    cli: Cli,
    tiny_run: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tiny_run.home)
    called = cli("serve", *options)
    assert (called.code, called.out) == (code, "")
    assert said in called.err.strip().split("\n")[-1]


def test_a_port_in_use_is_one_line(
    cli: Cli, tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_run.home)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        called = cli("serve", "--port", port)
    assert (called.code, called.out) == (1, "")
    assert called.err == (
        f"Error: cannot listen on 127.0.0.1, port {port}: address already in use; "
        "choose another with --port\n"
    )


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in [*sys.modules]:
        if name.split(".")[0] == missing or name.startswith("nextword.server."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    called = cli("serve")
    assert called.code == 1
    assert called.err == (
        "Error: this needs the server's libraries: pip install 'nextword[serve]'\n"
    )
