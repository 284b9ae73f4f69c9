"""Models to and from the Hub: what is sent, what is refused, and what an interruption leaves."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from nextword.hub.hugging_face import HubRepository

if TYPE_CHECKING:
    from tests.hub.conftest import FakeHub

Cli = Callable[..., SimpleNamespace]
Predictions = Callable[[str], list[Any]]
MODEL = {
    "config.json",
    "tokenizer.json",
    "spacing.json",
    "model.safetensors",
    "mixture.json",
    "ngram.safetensors",
    "README.md",
}


def pushed_revision(called: SimpleNamespace) -> str:
    """The revision that a push names."""
    assert called.code == 0, called.err
    return str(json.loads(called.out)["revision"])


def nothing_half_written(home: Path) -> bool:
    """Whether no temporary file or folder is left."""
    return not any((home / "tmp").iterdir()) and not [*home.glob("runs/.*")]


def test_a_model_comes_back_as_it_was_pushed(
    cli: Cli, hub: FakeHub, home: Path, predictions: Predictions
) -> None:
    pushed = cli("push", "mixed", "ann/tolstoy", "--yes")
    assert pushed.code == 0, pushed.err
    assert "can give back passages" in pushed.err
    repository = hub.repositories["ann/tolstoy"]
    assert repository.private
    assert pushed.out.startswith("pushed to hf://ann/tolstoy (7 files, 0.")
    assert f"revision {repository.head}" in pushed.out
    assert {*repository.files} == MODEL | {".gitattributes"}
    pulled = cli("pull", "hf://ann/tolstoy")
    assert pulled.code == 0, pulled.err
    assert pulled.out == f"wrote runs/tolstoy: gru 1 x 24 + n-grams, revision {repository.head}\n"
    assert {file.name for file in Path("runs/tolstoy/model").iterdir()} == MODEL
    assert predictions("tolstoy") == predictions("mixed")
    assert nothing_half_written(home)


def test_all_files_arrive_in_one_commit(cli: Cli, hub: FakeHub) -> None:
    assert cli("push", "mixed", "ann/tolstoy", "--yes").code == 0
    commits = [call for call, _ in hub.requests if "/commit/" in call]
    assert commits == ["POST /api/models/ann/tolstoy/commit/main"]
    # the one of the Hub's own file, and this one
    assert len(hub.repositories["ann/tolstoy"].revisions) == 2


def test_a_pulled_run_says_where_it_is_from_and_scores_other_texts(
    cli: Cli, hub: FakeHub, home: Path
) -> None:
    revision = pushed_revision(cli("push", "tiny", "ann/tolstoy", "--yes", "--json"))
    assert cli("pull", "ann/tolstoy", "mine").code == 0
    shown = json.loads(cli("info", "mine", "--json").out)
    assert shown["source"] == f"hf://ann/tolstoy, revision {revision}"
    assert (shown["model"], shown["text"]) == ("lstm", None)
    own_text = cli("eval", "mine")
    assert own_text.code == 1 and "give one with --text" in own_text.err
    (home / "other.txt").write_text("the small cat chases the grey mouse.\n" * 3)
    measured = cli("eval", "mine", "--text", "other.txt", "--json")
    assert measured.code == 0, measured.err
    original = cli("eval", "tiny", "--text", "other.txt", "--json")
    assert json.loads(measured.out)["perplexity"] == json.loads(original.out)["perplexity"]


def test_a_revision_can_be_pinned(
    cli: Cli, hub: FakeHub, home: Path, predictions: Predictions
) -> None:
    first = pushed_revision(cli("push", "mixed", "ann/tolstoy", "--yes", "--json"))
    second = pushed_revision(cli("push", "tiny", "ann/tolstoy", "--yes", "--json"))
    assert first != second
    assert cli("pull", "ann/tolstoy", "old", "--revision", first).code == 0
    assert cli("pull", "ann/tolstoy", "new").code == 0
    assert predictions("old") == predictions("mixed")
    assert predictions("new") == predictions("tiny")
    # the first has n-grams, the second has none
    assert "ngram.safetensors" not in hub.repositories["ann/tolstoy"].files
    unknown = cli("pull", "ann/tolstoy", "other", "--revision", "0" * 40)
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err == "Error: hf://ann/tolstoy: has no such revision\n"


@pytest.mark.parametrize("step", ["PUT /large", "POST /api/models/ann/tolstoy/commit"])
def test_an_interrupted_push_leaves_the_revision_before(
    cli: Cli, hub: FakeHub, home: Path, step: str
) -> None:
    assert cli("push", "mixed", "ann/tolstoy", "--yes").code == 0
    repository = hub.repositories["ann/tolstoy"]
    before = (repository.head, {*repository.revisions})
    hub.failures[step] = 507
    failed = cli("push", "tiny", "ann/tolstoy", "--yes")
    assert (failed.code, failed.out) == (1, "")
    assert re.search(r"^Error: hf://ann/tolstoy: .*507", failed.err, re.MULTILINE)
    assert "Traceback" not in failed.err
    assert (repository.head, {*repository.revisions}) == before
    assert nothing_half_written(home)
    hub.failures.clear()
    assert cli("push", "tiny", "ann/tolstoy", "--yes").code == 0


@pytest.mark.parametrize("how", ["cut", "corrupt"])
def test_a_file_that_arrives_otherwise_makes_no_run(
    cli: Cli, hub: FakeHub, home: Path, how: str
) -> None:
    assert cli("push", "mixed", "ann/tolstoy", "--yes").code == 0
    setattr(hub, how, "model.safetensors")
    failed = cli("pull", "ann/tolstoy")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith("Error: hf://ann/tolstoy: ") and failed.err.count("\n") == 1
    assert not Path("runs/tolstoy").exists() and nothing_half_written(home)


def test_a_disk_that_fills_makes_no_run(
    cli: Cli, hub: FakeHub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert cli("push", "mixed", "ann/tolstoy", "--yes").code == 0
    monkeypatch.setattr(HfApi, "hf_hub_download", full)
    failed = cli("pull", "ann/tolstoy")
    assert failed.code == 1 and "No space left on device" in failed.err
    assert "free some space" in failed.err and failed.err.count("\n") == 1
    assert not Path("runs/tolstoy").exists() and nothing_half_written(home)


def test_only_the_files_of_a_model_are_fetched(cli: Cli, hub: FakeHub) -> None:
    assert cli("push", "tiny", "ann/tolstoy", "--yes").code == 0
    repository = hub.repositories["ann/tolstoy"]
    code = b"import os; os.mkdir('harmed')"
    repository.commit({**repository.files, "modeling.py": code, "sub/config.json": b"{}"})
    hub.requests.clear()
    pulled = cli("pull", "ann/tolstoy")
    assert pulled.code == 0
    assert pulled.err == "not fetched, since no part of a model: modeling.py, sub/config.json\n"
    fetched = {call.rpartition("/")[2] for call, _ in hub.requests if "/resolve/" in call}
    assert fetched == {*repository.files} - {".gitattributes", "modeling.py", "sub/config.json"}
    assert not [*Path("runs/tolstoy").rglob("*.py")] and not Path("harmed").exists()


def test_a_foreign_model_is_refused(cli: Cli, hub: FakeHub, home: Path) -> None:
    hub.create("bob/bert", {"config.json": b'{"model_type": "bert"}'}, private=False)
    hub.create(
        "bob/gpt",
        {name: b'{"model_type": "gpt"}' for name in ("config.json", "tokenizer.json")}
        | {"model.safetensors": b"weights"},
        private=False,
    )
    lacking = cli("pull", "bob/bert")
    assert lacking.err == "Error: hf://bob/bert: holds no model: tokenizer.json is missing\n"
    foreign = cli("pull", "bob/gpt")
    assert foreign.err == "Error: hf://bob/gpt/config.json: is not a nextword model\n"
    assert {path.name for path in Path("runs").iterdir()} == {"mixed", "tiny"}


def test_a_run_that_exists_stays_unless_forced(
    cli: Cli, hub: FakeHub, predictions: Predictions
) -> None:
    assert cli("push", "mixed", "ann/tolstoy", "--yes").code == 0
    before = predictions("tiny")
    refused = cli("pull", "ann/tolstoy", "tiny")
    assert refused.code == 2 and "runs/tiny: exists already" in refused.err
    assert predictions("tiny") == before
    assert cli("pull", "ann/tolstoy", "tiny", "--force").code == 0
    assert predictions("tiny") == predictions("mixed")
    assert not Path("runs/tiny/metrics.jsonl").exists()


def test_the_name_of_something_else_is_not_pushed_to(cli: Cli, hub: FakeHub) -> None:
    other = hub.create("ann/bert", {"config.json": b"{}", "modeling.py": b""})
    head = other.head
    refused = cli("push", "tiny", "ann/bert", "--yes")
    assert refused.code == 1 and "the name is taken" in refused.err
    assert other.head == head
    hub.create("ann/empty", {"README.md": b"---\nlicense: mit\n---\n"})
    assert cli("push", "tiny", "ann/empty", "--yes").code == 0


def test_a_model_is_public_only_where_that_was_said(cli: Cli, hub: FakeHub) -> None:
    public = hub.create("ann/open", private=False)
    head = public.head
    refused = cli("push", "tiny", "ann/open", "--yes")
    assert refused.code == 1 and "is a public repository; add --public" in refused.err
    assert public.head == head
    assert cli("push", "tiny", "ann/open", "--yes", "--public").code == 0
    assert cli("push", "tiny", "ann/new", "--yes", "--public").code == 0
    assert not hub.repositories["ann/new"].private
    hub.create("ann/hidden")
    hidden = cli("push", "tiny", "ann/hidden", "--yes", "--public")
    assert hidden.code == 1 and "is a private repository; leave out --public" in hidden.err


def test_a_push_of_somebody_else_in_between_is_not_overwritten(
    cli: Cli, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("push", "tiny", "ann/tolstoy", "--yes").code == 0
    repository = hub.repositories["ann/tolstoy"]
    others: list[str] = []

    def push_of_somebody_else(*args: object) -> None:
        others.append(repository.commit({**repository.files, "model.safetensors": b"theirs"}))

    monkeypatch.setattr(HubRepository, "_check_target", push_of_somebody_else)
    refused = cli("push", "mixed", "ann/tolstoy", "--yes")
    assert refused.code == 1 and "somebody else pushed at the same time" in refused.err
    assert [repository.head] == others


def test_the_hub_says_what_is_wrong_with_a_licence(cli: Cli, hub: FakeHub) -> None:
    refused = cli("push", "tiny", "ann/tolstoy", "--yes", "--license", "bogus")
    assert (refused.code, refused.out) == (1, "")
    assert '"license" must be one of the list' in refused.err and refused.err.count("\n") == 2
    assert len(hub.repositories["ann/tolstoy"].revisions) == 1


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        ("GET /api/models", 401, "does not accept the token"),
        ("GET /api/models", 429, "fewer requests"),
        ("GET /api/models", 503, "trouble of its own (HTTP 503)"),
        ("POST /api/repos/create", 403, "you may not write there"),
        ("POST /api/repos/create", 409, "the name is taken"),
    ],
)
def test_the_hubs_refusals_are_one_line(
    cli: Cli, hub: FakeHub, call: str, status: int, message: str
) -> None:
    hub.failures[call] = status
    refused = cli("push", "tiny", "ann/tolstoy", "--yes")
    assert (refused.code, refused.out) == (1, "")
    warning, error, rest = refused.err.split("\n")
    assert error.startswith("Error: hf://ann/tolstoy: ") and message in error and rest == ""


def test_who_is_not_logged_in_is_told_how(
    cli: Cli, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    refused = cli("push", "tiny", "ann/tolstoy", "--yes")
    assert refused.code == 1 and "not logged in; log in with `hf auth login`" in refused.err
    assert hub.requests == []
    hub.create("ann/hidden")
    hidden = cli("pull", "ann/hidden")
    assert hidden.code == 1 and "no such repository, or a private one" in hidden.err
    assert cli("pull", "ann/nothing").err.replace("nothing", "hidden") == hidden.err


def called_with(variables: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, since the library reads variables at its import."""
    return subprocess.run(
        [sys.executable, "-m", "nextword", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_no_connection_is_one_line(hub: FakeHub) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        nobody = {"HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        calls = [["pull", "ann/tolstoy"], ["push", "tiny", "ann/tolstoy", "--yes"]]
        for done in (called_with(nobody, *args) for args in calls):
            assert (done.returncode, done.stdout) == (1, "")
            *_, error = done.stderr.splitlines()
            assert error.startswith("Error: hf://ann/tolstoy: the connection to the Hub failed (")
            assert "Traceback" not in done.stderr


def test_offline_mode_is_respected(hub: FakeHub) -> None:
    done = called_with({"HF_HUB_OFFLINE": "1"}, "pull", "ann/tolstoy")
    assert (done.returncode, done.stdout) == (1, "")
    forbidden = "HF_HUB_OFFLINE forbids connections; unset it"
    assert done.stderr == f"Error: hf://ann/tolstoy: {forbidden}\n"
    assert hub.requests == []


def test_requests_say_nothing_of_the_machine_and_no_copy_is_kept(
    cli: Cli, hub: FakeHub, home: Path
) -> None:
    assert cli("push", "mixed", "ann/tolstoy", "--yes").code == 0
    assert cli("pull", "ann/tolstoy").code == 0
    agents = {headers.get("user-agent", headers.get("User-Agent")) for _, headers in hub.requests}
    assert len(agents) <= 2
    assert all("torch" not in str(agent) and "agent/" not in str(agent) for agent in agents)
    assert any(str(agent).startswith("nextword/") for agent in agents)
    assert not any((home / "user").rglob("*")) and not (home / "hf-cache").exists()


def test_paths_of_this_machine_are_not_sent(cli: Cli, hub: FakeHub, home: Path) -> None:
    config = home / "runs" / "tiny" / "model" / "config.json"
    described = json.loads(config.read_text())
    described["model"]["vectors"] = "/home/ann/secret/glove.txt"
    config.write_text(json.dumps(described))
    assert cli("push", "tiny", "ann/tolstoy", "--yes").code == 0
    files = hub.repositories["ann/tolstoy"].files
    assert json.loads(files["config.json"])["model"]["vectors"] == "glove.txt"
    for content in files.values():
        assert b"secret" not in content and str(home).encode() not in content
    assert cli("pull", "ann/tolstoy").code == 0


def test_the_library_is_named_where_it_is_missing(home: Path) -> None:
    code = (
        "import sys; sys.modules['huggingface_hub'] = None; from nextword.cli import main; main()"
    )
    for args in (["pull", "ann/tolstoy"], ["push", "tiny", "ann/tolstoy", "--yes"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith("the Hub's library: pip install 'nextword[hub]'\n")
