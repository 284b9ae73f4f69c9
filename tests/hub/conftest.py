"""A Hub on loopback that keeps what it is sent in memory, and lets no other address be reached."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

TOKEN = "hf_of_ann"
OWNER = "ann"
Files = dict[str, bytes]


@dataclass
class Repository:
    """A repository: its revisions by name, the newest under ``main``."""

    private: bool
    revisions: dict[str, Files] = field(default_factory=dict)
    head: str = ""

    def commit(self, files: Files) -> str:
        """Add a revision, and return its name."""
        content = repr((len(self.revisions), sorted(files.items()))).encode()
        self.head = hashlib.sha1(content).hexdigest()
        self.revisions[self.head] = files
        return self.head

    @property
    def files(self) -> Files:
        """Those of the newest revision."""
        return self.revisions[self.head]


class FakeHub:
    """The state of the Hub, and what it does wrong.

    ``failures`` maps the beginning of ``METHOD /path`` to the status that is answered instead;
    ``cut`` names a file whose download ends after half of it, and ``corrupt`` one that is altered.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.repositories: dict[str, Repository] = {}
        self.large: Files = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.failures: dict[str, int] = {}
        self.cut = ""
        self.corrupt = ""

    def create(self, name: str, files: Files | None = None, private: bool = True) -> Repository:
        """A repository, which has the Hub's own file."""
        repository = self.repositories[name] = Repository(private)
        repository.commit({".gitattributes": b"*.safetensors filter=lfs\n", **(files or {})})
        return repository


def is_large(name: str) -> bool:
    return name.endswith(".safetensors")


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The calls of the Hub that pushing and pulling need."""

    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.respond()

    do_HEAD = do_POST = do_PUT = do_GET

    def respond(self) -> None:
        """Answer by the first route whose pattern fits."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = unquote(urlsplit(self.path).path)
        call = f"{self.command} {path}"
        self.hub.requests.append((call, dict(self.headers)))
        for beginning, status in self.hub.failures.items():
            if call.startswith(beginning):
                self.answer({"error": "told to fail"}, status)
                return
        for pattern, route in ROUTES:
            if match := re.fullmatch(pattern, call):
                route(self, body, *match.groups())
                return
        self.answer({"error": "no such call"}, 404)

    def answer(self, content: object, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def repository(self, name: str) -> Repository | None:
        """A repository that the client may see; else the answer is that there is none."""
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self.known):
            status = 404 if self.known else 401
            self.answer({"error": "no repository"}, status, X_Error_Code="RepoNotFound")
            return None
        return repository

    def revision(self, name: str, revision: str) -> tuple[str, Repository, Files] | None:
        repository = self.repository(name)
        if repository is None:
            return None
        commit = repository.head if revision == "main" else revision
        if commit not in repository.revisions:
            self.answer({"error": "no revision"}, 404, X_Error_Code="RevisionNotFound")
            return None
        return commit, repository, repository.revisions[commit]

    def info(self, body: bytes, name: str, revision: str | None = None) -> None:
        if (found := self.revision(name, revision or "main")) is None:
            return
        commit, repository, files = found
        card = files.get("README.md", b"").decode()
        library = re.search(r"^library_name: (.*)$", card, re.MULTILINE)
        siblings: list[dict[str, Any]] = []
        for file, content in files.items():
            digest = hashlib.sha256(content).hexdigest()
            lfs = {"sha256": digest, "size": len(content), "pointerSize": 130}
            described = {"rfilename": file, "size": len(content), "blobId": git_blob(content)}
            siblings.append({**described, **({"lfs": lfs} if is_large(file) else {})})
        content_of_info = {
            "id": name,
            "sha": commit,
            "private": repository.private,
            "siblings": siblings,
            "tags": [],
            **({"library_name": library[1]} if library else {}),
        }
        self.answer(content_of_info)

    def create(self, body: bytes) -> None:
        asked = json.loads(body)
        owner = asked.get("organization") or OWNER
        if not self.known or owner != OWNER:
            self.answer({"error": "not yours"}, 403 if self.known else 401)
            return
        name = f"{owner}/{asked['name']}"
        # the first is what newer versions of the library say
        private = asked["visibility"] == "private" if "visibility" in asked else asked["private"]
        self.hub.create(name, private=private)
        self.answer({"url": f"{self.hub.url}/{name}"})

    def validate(self, body: bytes) -> None:
        if "license: bogus" in json.loads(body)["content"]:
            self.answer({"errors": [{"message": '"license" must be one of the list'}]}, 400)
            return
        self.answer({"errors": [], "warnings": []})

    def preupload(self, body: bytes, name: str) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if is_large(file["path"]) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
        ]
        self.answer({"files": files})

    def batch(self, body: bytes, name: str) -> None:
        objects = [
            {**file, "actions": {"upload": {"href": f"{self.hub.url}/large/{file['oid']}"}}}
            for file in json.loads(body)["objects"]
        ]
        self.answer({"transfer": "basic", "objects": objects})

    def upload(self, body: bytes, digest: str) -> None:
        assert hashlib.sha256(body).hexdigest() == digest
        self.hub.large[digest] = body
        self.answer({})

    def commit(self, body: bytes, name: str) -> None:
        repository = self.hub.repositories[name]
        files = dict(repository.files)
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header" and value.get("parentCommit", repository.head) != (
                repository.head
            ):
                self.answer({"error": "not the newest"}, 412)
                return
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = repository.commit(files)
        self.answer({"commitUrl": f"{self.hub.url}/{name}/commit/{commit}", "commitOid": commit})

    def resolve(self, body: bytes, name: str, revision: str, file: str) -> None:
        if (found := self.revision(name, revision)) is None:
            return
        commit, _, files = found
        content = files[file]
        digest = hashlib.sha256(content).hexdigest()
        if file == self.hub.corrupt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if file == self.hub.cut and self.command == "GET":
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        etag = digest if is_large(file) else git_blob(content)
        self.answer(content, ETag=f'"{etag}"', X_Repo_Commit=commit)


ROUTES: list[tuple[str, Callable[..., None]]] = [
    (r"GET /api/models/([^/]+/[^/]+)", Handler.info),
    (r"GET /api/models/([^/]+/[^/]+)/revision/(.+)", Handler.info),
    (r"POST /api/repos/create", Handler.create),
    (r"POST /api/validate-yaml", Handler.validate),
    (r"POST /api/models/([^/]+/[^/]+)/preupload/main", Handler.preupload),
    (r"POST /([^/]+/[^/]+)\.git/info/lfs/objects/batch", Handler.batch),
    (r"PUT /large/([0-9a-f]+)", Handler.upload),
    (r"POST /api/models/([^/]+/[^/]+)/commit/main", Handler.commit),
    (r"(?:HEAD|GET) /([^/]+/[^/]+)/resolve/([^/]+)/(.+)", Handler.resolve),
]


@pytest.fixture(scope="session")
def hub_server() -> Iterator[ThreadingHTTPServer]:
    """One server for all tests, since the library keeps connections and its endpoint."""
    with pytest.MonkeyPatch.context() as patch:
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            patch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
            patch.setenv("HF_HUB_DISABLE_XET", "1")
            patch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
            # now, since the library reads these variables at its import
            pytest.importorskip("huggingface_hub", reason="needs the extra: nextword[hub]")
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield server
            server.shutdown()
            thread.join()


@pytest.fixture
def hub(hub_server: ThreadingHTTPServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """A Hub that the program uses, logged in as ann; connections to other addresses fail."""
    from huggingface_hub import constants

    port = hub_server.server_address[1]
    fake = FakeHub(f"http://127.0.0.1:{port}")
    monkeypatch.setattr(Handler, "hub", fake, raising=False)
    only_reach(port, monkeypatch)
    # what the library has read if another test imported it; the first is unknown to its oldest
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hf-cache"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between repeated requests
    return fake


def only_reach(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets connect to one port of this machine, and nowhere else."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if address[:2] != ("127.0.0.1", port):
            raise AssertionError(f"connects to {address}")
        connect(self, address)

    def guarded_look_up(host: str, *rest: Any, **options: Any) -> Any:
        if host != "127.0.0.1":
            raise AssertionError(f"looks up {host}")
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def home(kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own whose ``runs/`` has two runs: a network with n-grams, and one without."""
    home = tmp_path / "home"
    for run in ("mixed", "tiny"):
        shutil.copytree(kinds / "runs" / run, home / "runs" / run)
    for name, folder in {"HOME": "user", "TMPDIR": "tmp"}.items():
        (home / folder).mkdir()
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setattr("tempfile.tempdir", str(home / "tmp"))
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def predictions() -> Callable[[str], list[SimpleNamespace]]:
    """The words that a run predicts, with their probabilities."""
    import nextword

    def predict(run: str) -> list[Any]:
        return nextword.load_model(Path("runs") / run).predict("the small cat")

    return predict
