"""A repository of the Hugging Face Hub; the only module of the package that connects anywhere."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from nextword import __version__
from nextword.errors import ModelError, NextwordError
from nextword.hub.errors import LOGIN, hub_errors
from nextword.hub.files import PUBLISHED, REQUIRED, file_digest, published_files
from nextword.hub.registry import Fetched, Registry
from nextword.inference.model_folder import CARD

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo
    from huggingface_hub.hf_api import RepoSibling

LIBRARY = "nextword"
"""``library_name`` of the model cards, by which the Hub knows the models."""
EXTRA_MISSING = "this needs the Hub's library: pip install 'nextword[hub]'"
TIMEOUT = 30.0
"""Seconds to wait for the Hub's answer to a question."""
_ATTRIBUTES = ".gitattributes"
"""The file that the Hub puts into every repository."""


class HubRepository(Registry):
    """A model repository.

    Args:
        repository: ``user/name``.
    """

    def __init__(self, repository: str) -> None:
        self.repository = repository

    @property
    def name(self) -> str:
        return self.repository.partition("/")[2]

    @property
    def location(self) -> str:
        return f"hf://{self.repository}"

    def publish(self, folder: Path, private: bool = True) -> str:
        api = _client()
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, get_token

        if get_token() is None:
            raise NextwordError(f"{self.location}: you are not logged in; {LOGIN}")
        with hub_errors(self.location):
            existing = self._existing(api)
            if existing is None:
                api.create_repo(self.repository, private=private)
            else:
                self._check_target(existing, private)
            files = published_files(folder)
            stale = _names(existing) & {*PUBLISHED} - {path.name for path in files}
            commit = api.create_commit(
                self.repository,
                [
                    *(CommitOperationAdd(path.name, str(path)) for path in files),
                    *(CommitOperationDelete(name) for name in sorted(stale)),
                ],
                commit_message=f"Push a model of nextword {__version__}",
                parent_commit=None if existing is None else existing.sha,
            )
        return str(commit.oid)

    def _existing(self, api: HfApi) -> ModelInfo | None:
        """The repository as it is; None if it has to be created."""
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        try:
            return api.model_info(self.repository, timeout=TIMEOUT)
        except GatedRepoError:
            raise
        except RepositoryNotFoundError:
            return None

    def _check_target(self, existing: ModelInfo, private: bool) -> None:
        """Refuse to push over something else, or to another public than was meant.

        Raises:
            NextwordError: one of both would happen.
        """
        if _names(existing) - {_ATTRIBUTES, CARD} and existing.library_name != LIBRARY:
            raise NextwordError(
                f"{self.location}: the name is taken by something that is no nextword model; "
                "choose another"
            )
        if private and not existing.private:
            raise NextwordError(
                f"{self.location}: is a public repository; add --public to publish the model, or "
                "choose another name"
            )
        if existing.private and not private:
            raise NextwordError(
                f"{self.location}: is a private repository; leave out --public, or make it public "
                "in its settings first"
            )

    def fetch(self, target: Path, revision: str | None = None) -> Fetched:
        api = _client()
        with hub_errors(self.location, target):
            info = api.model_info(
                self.repository, revision=revision, files_metadata=True, timeout=TIMEOUT
            )
            files = {file.rfilename: file for file in info.siblings or []}
            if missing := [name for name in REQUIRED if name not in files]:
                raise ModelError(f"{self.location}: holds no model: {missing[0]} is missing")
            cache = target / ".cache"
            for name in PUBLISHED:
                if name in files:
                    api.hf_hub_download(
                        self.repository, name, revision=info.sha, local_dir=target, cache_dir=cache
                    )
                    self._verify(target / name, files[name])
            shutil.rmtree(cache, ignore_errors=True)  # what the library notes of its downloads
        return Fetched(str(info.sha), sorted(files.keys() - {*PUBLISHED, _ATTRIBUTES}))

    def _verify(self, path: Path, file: RepoSibling) -> None:
        """Compare a file with its checksum on the Hub, which depends on how it is stored there.

        Raises:
            ModelError: they differ.
        """
        if file.lfs is not None:
            intact = file_digest(path) == file.lfs.sha256
        elif file.blob_id is not None:
            intact = _git_blob_id(path) == file.blob_id
        else:
            intact = True  # the file's own checksum remains
        if not intact:
            raise ModelError(
                f"{self.location}: {path.name} does not match its checksum there; pull again"
            )


def _client() -> HfApi:
    """The Hub's client, which says nothing of this machine and keeps no copies of files.

    Raises:
        NextwordError: its library is not installed.
    """
    # read once, when the library is imported; Xet keeps what it sends and fetches in a cache
    for name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_XET"):
        os.environ.setdefault(name, "1")
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars, logging
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "huggingface_hub":
            raise
        raise NextwordError(EXTRA_MISSING) from None
    logging.set_verbosity_error()  # its warnings repeat the server's errors
    if sys.stderr is None or not sys.stderr.isatty():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a variable of the user's says otherwise
            disable_progress_bars()
    endpoint = os.environ.get("HF_ENDPOINT") or None
    return HfApi(endpoint=endpoint, library_name=LIBRARY, library_version=__version__)


def _names(info: ModelInfo | None) -> set[str]:
    """The files of a repository."""
    return set() if info is None else {file.rfilename for file in info.siblings or []}


def _git_blob_id(path: Path) -> str:
    """The name under which git stores a file."""
    content = path.read_bytes()
    # git's name for content, not a protection
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()
