"""What SECURITY.md promises: no network, no code from files, no prompt kept."""

import ast
import hashlib
import io
import os
import pickle
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nextword
from nextword.cli import main

Cli = Callable[..., SimpleNamespace]
PACKAGE = Path(nextword.__file__).parent
SECRET = "xyzzyplugh"
NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "requests", "httpx", "aiohttp"}
NETWORK |= {"asyncio", "huggingface_hub", "telnetlib", "xmlrpc", "socketserver", "webbrowser"}
NETWORK |= {"anyio", "starlette", "uvicorn"}
LISTENING = {"anyio", "asyncio", "socket", "starlette", "uvicorn"}
"""What the server may import."""
HUB = "huggingface_hub"
"""What pushing and pulling may import, where they are used."""
CODE = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "code", "runpy"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "torch.load",
    "torch.save",
}
CALLS |= {"torch.jit.load", "torch.hub.load", "yaml.load", "yaml.load_all", "yaml.full_load"}
CALLS |= {"yaml.unsafe_load", "HuggingFaceTokenizer.from_pretrained", "np.lib.format.read_array"}
HARMLESS = {"urllib.parse"}
SAFE_YAML = {"yaml.SafeLoader", "yaml.SafeDumper"}


def offences(source: str) -> Iterator[str]:
    """What a module does that could run a file's code or reach the network."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [alias.name for alias in node.names]
            modules = named if isinstance(node, ast.Import) else [node.module or ""]
            found = (m for m in modules if m.split(".")[0] in NETWORK | CODE | {"subprocess"})
            yield from (module for module in found if module not in HARMLESS)
        elif isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases}
            yield from (
                base for base in bases if base.startswith("yaml.") and base not in SAFE_YAML
            )
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            forbids = any(
                word.arg == "allow_pickle" and ast.unparse(word.value) == "False"
                for word in node.keywords
            )
            if name in CALLS or (name in ("np.load", "np.save", "numpy.load") and not forbids):
                yield name


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from urllib.request import urlopen",
        "import os, socket",
        "def f(x):\n    return eval(x)",
        "torch.load(path)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, Loader)",
        "class L(yaml.UnsafeLoader): pass",
    ],
)
def test_the_search_finds_what_it_is_for(source: str) -> None:
    assert list(offences(source))


def test_every_promise_names_tests_that_there_are() -> None:
    root = Path(__file__).resolve().parents[1]
    promised = set(re.findall(r"`(test_\w+)`", (root / "SECURITY.md").read_text("utf-8")))
    assert len(promised) >= 6 and promised <= globals().keys()


def test_no_module_can_run_a_files_code_or_reach_the_network() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 50
    found = {
        file.relative_to(PACKAGE).as_posix(): sorted(set(offences(file.read_text("utf-8"))))
        for file in files
    }
    for name, what in found.items():
        if name.startswith("server/"):
            found[name] = [each for each in what if each.split(".")[0] not in LISTENING]
        if name.startswith("hub/"):
            found[name] = [each for each in what if each.split(".")[0] != HUB]
    assert {name: what for name, what in found.items() if what} == {}


def test_the_hub_is_reached_only_by_pushing_and_pulling() -> None:
    imported = set()
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        name = file.relative_to(PACKAGE).as_posix()
        if any(each.split(".")[0] == HUB for each in offences(ast.unparse(tree))):
            imported.add(name)
        # neither is the package of other use, nor is the library loaded before it is used
        used = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if any(module.startswith("nextword.hub") for module in used):
            assert name.startswith("hub/") or name in ("cli/push.py", "cli/pull.py")
        at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not any(HUB in ast.unparse(node) for node in at_once), name
    assert imported == {"hub/errors.py", "hub/hugging_face.py"}


def test_only_the_server_listens() -> None:
    calls = {
        node.func.attr
        for file in (PACKAGE / "server").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert {"bind", "listen"} <= calls
    connecting = {"connect", "connect_ex", "connect_tcp", "create_connection", "open_connection"}
    assert not (connecting | {"sendto"}) & calls


@pytest.fixture
def home(tiny_run: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a run, a cache, a home and a place for temporary files."""
    shutil.copytree(tiny_run.home / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    for name, folder in {"HOME": "home", "TMPDIR": "tmp", "NEXTWORD_CACHE_DIR": "cache"}.items():
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    # models are noted as verified at once, however new their files are
    monkeypatch.setattr("nextword.storage.verified.SETTLED_NS", 0)
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    """Every file below, with a digest of what it holds."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_nothing_opens_a_connection(
    cli: Cli, home: Path, tiny_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(name: str) -> Callable[..., Any]:
        def call(*args: object, **kwargs: object) -> Any:
            tried.append(name)
            raise OSError("no network here")

        return call

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname", "fromfd"):
        monkeypatch.setattr(socket, name, refuse(name))
    with pytest.raises(OSError, match="no network here"):
        socket.socket()
    tried.clear()
    keys = {**tiny_settings, "training.epochs": 0.1, "text.holdout": "{valid: 0.1, test: 0.1}"}
    options = [part for key, value in keys.items() for part in ("--set", f"{key}={value}")]
    assert cli("train", "--run", "alone", *options).code == 0
    assert cli("predict", SECRET, "--model", "alone").code == 0
    assert cli("eval", "--model", "alone", "--baselines").code == 0
    assert cli("info").code == 0
    assert tried == []


class Typed(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("adapt", ["none", "both"])
def test_no_prompt_is_kept(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, adapt: str
) -> None:
    assert cli("predict", "the").code == 0  # may note that the model folder was verified
    before = contents(home)
    assert any(name.endswith("model.safetensors") for name in before)
    answered = cli("predict", f"the {SECRET} cat", "--adapt", adapt)
    assert answered.code == 0 and SECRET in answered.err
    assert cli("predict", "--adapt", adapt, stdin=f"{SECRET}\nthe {SECRET}\n").code == 0
    monkeypatch.setattr(sys, "stdin", Typed(f"{SECRET} is\nthe\n/new\n{SECRET}\n"))
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--adapt", adapt])
    assert ended.value.code == 0
    # no file is new and none has changed, so none can hold a prompt or what was learned from one
    assert contents(home) == before


def test_a_measured_text_leaves_nothing_behind(cli: Cli, home: Path) -> None:
    (home / "letter.txt").write_text(f"the {SECRET} cat\n")
    assert cli("predict", "the").code == 0
    before = contents(home)
    measured = cli("eval", "--text", "letter.txt", "--details", "--adapt", "both")
    assert measured.code == 0 and SECRET not in measured.err
    assert contents(home) == before


class Payload:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("harmed",)


YAML = "text: !!python/object/apply:os.mkdir [harmed]\n"


def poisoned(name: str) -> bytes:
    """A file that harms whoever lets it."""
    if name.endswith(".yaml"):
        return YAML.encode()
    if name.endswith(".npy"):
        stream = io.BytesIO()
        np.save(stream, np.array([Payload()], dtype=object), allow_pickle=True)
        return stream.getvalue()
    return pickle.dumps(Payload())


def test_the_poison_works_where_it_is_swallowed(home: Path) -> None:
    pickle.loads(poisoned("model.safetensors"))
    assert Path("harmed").is_dir()
    Path("harmed").rmdir()
    np.load(io.BytesIO(poisoned("counts.npy")), allow_pickle=True)
    assert Path("harmed").is_dir()


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "model.safetensors", "mixture.json"]
)
def test_a_strangers_model_runs_no_code(cli: Cli, home: Path, name: str) -> None:
    (home / "runs" / "tiny" / "model" / name).write_bytes(poisoned(name))
    called = cli("predict", "the", "--model", "runs/tiny/model")
    assert (called.code, called.out) == (1, "")
    assert f"model/{name}: " in called.err
    assert not Path("harmed").exists()


def test_a_strangers_run_and_cache_run_no_code(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nextword.storage.verified.SETTLED_NS", 0)  # even a new folder is noted
    assert cli("eval", "--json").code == 0
    cache = home / "cache"
    prepared = [*cache.glob("*/*.npy"), *cache.glob("*/meta.json")]
    notes = [*cache.glob("verified/*.json")]
    assert prepared and notes
    for file in prepared + notes:
        file.write_bytes(poisoned(file.name))
    assert cli("eval", "--json").code == 0  # made anew from the text
    state = home / "runs" / "tiny" / "state" / "state.safetensors"
    state.write_bytes(poisoned(state.name))
    assert cli("train", "--resume", "--run", "tiny").code == 1
    (home / "runs" / "tiny" / "config.yaml").write_bytes(poisoned("config.yaml"))
    assert cli("info", "tiny").code == 2
    assert cli("train", "--config", "runs/tiny/config.yaml").code == 2
    assert not Path("harmed").exists()
