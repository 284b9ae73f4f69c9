"""Run folders: where they lie, what is in them, and how one is found.

``runs/<name>/`` holds ``config.yaml``, ``model/``, ``state/`` and ``metrics.jsonl``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nextword.config import Config, load_config
from nextword.errors import ConfigError, ModelError
from nextword.storage.files import ASIDE, unwritable

RUNS = Path("runs")
"""The folder of all runs, in the folder where the program is called."""


@dataclass(frozen=True)
class RunFolder:
    """The places of a run's files."""

    path: Path

    @property
    def config(self) -> Path:
        """The configuration, everything resolved."""
        return self.path / "config.yaml"

    @property
    def model(self) -> Path:
        """The best model so far, self-contained."""
        return self.path / "model"

    @property
    def state(self) -> Path:
        """What a resume needs."""
        return self.path / "state" / "state.safetensors"

    @property
    def best(self) -> Path:
        """The best model's weights, kept while those of an early stop stand in ``model/``."""
        return self.path / "state" / "best.safetensors"

    @property
    def lock(self) -> Path:
        """Locked while a training is at work here."""
        return self.path / "state" / "lock"

    @property
    def metrics(self) -> Path:
        """One JSON line per report."""
        return self.path / "metrics.jsonl"

    def read_config(self) -> Config:
        """The configuration as it was resolved, whatever the environment says now.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        return load_config(self.config, environ={})

    @property
    def exists(self) -> bool:
        """Whether a training began here."""
        return self.config.is_file()

    @property
    def empty(self) -> bool:
        """Whether a training that began here ended before it saved anything; nothing else is."""
        if self.state.exists() or (self.model / "model.safetensors").exists():
            return False
        ours = {self.config.name, self.state.parent.name, self.model.name}
        return self.path.is_dir() and all(
            file.name in ours or file.name.endswith(ASIDE) for file in self.path.iterdir()
        )


def run_folder(name: str) -> RunFolder:
    """The folder of the run called ``name``, there or not.

    Raises:
        ConfigError: the name would lie outside ``runs/``.
    """
    if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
        raise ConfigError(f"run name {name!r}: use a plain name without slashes or leading dot")
    return RunFolder(RUNS / name)


def fresh_name(stem: str) -> str:
    """``stem``, or ``stem-2``, ``stem-3`` and so on, whichever is not taken yet."""
    name, number = stem, 1
    while (RUNS / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return name


def known_runs() -> list[RunFolder]:
    """All runs under ``runs/``, by name."""
    folders = sorted(RUNS.glob("*")) if RUNS.is_dir() else []
    return [run for run in map(RunFolder, folders) if run.exists]


def newest_run() -> RunFolder:
    """The run under ``runs/`` whose files changed last.

    Raises:
        ModelError: there is none.
    """
    found = known_runs()
    if not found:
        raise ModelError(
            f"no run under {RUNS}/; train one with `nextword train`, or name one with --model"
        )
    return max(found, key=_changed)


def run_to_begin(name: str | None, stem: str) -> RunFolder:
    """The folder of a new run: called ``name``, or after ``stem``. It is not made yet.

    Raises:
        ConfigError: a run of that name is there already.
    """
    folder = run_folder(fresh_name(stem) if name is None else name)
    if folder.path.exists() and not folder.empty:
        raise ConfigError(
            f"{folder.path}: exists already; choose another --run, or go on with --resume"
        )
    return folder


def begin_run(name: str | None, stem: str) -> RunFolder:
    """The same, made: of two that begin at the same time each gets its own.

    Raises:
        ConfigError: a run of that name is there already.
        NextwordError: the folder cannot be made.
    """
    while True:
        folder = run_to_begin(name, stem)
        try:
            folder.path.mkdir(parents=True)
        except FileExistsError:
            if name is None:
                continue
        except OSError as error:
            raise unwritable(folder.path, error) from error
        return folder


def run_to_resume(name: str | None) -> RunFolder:
    """The run to go on with: called ``name``, or in that folder, wherever it is; or the newest.

    Raises:
        ConfigError: nothing was saved there.
    """
    if name is None:
        folder = newest_run()
    else:
        folder = RunFolder(RUNS / name)
        if not folder.exists and RunFolder(Path(name)).exists:
            folder = RunFolder(Path(name))
    if not folder.state.is_file():
        raise ConfigError(f"{folder.path}: nothing to resume there; start it without --resume")
    return folder


def _changed(run: RunFolder) -> float:
    files = (run.config, run.metrics, run.model / "model.safetensors")
    return max(file.stat().st_mtime for file in files if file.exists())


def find_run(path: Path | None) -> RunFolder:
    """The run at ``path``, by folder or by name; the newest without a path.

    Raises:
        ModelError: there is no run there.
    """
    if path is None:
        return newest_run()
    for candidate in (path, RUNS / path):
        if RunFolder(candidate).exists:
            return RunFolder(candidate)
    raise ModelError(f"{path}: is no run folder; `nextword info` lists what is under {RUNS}/")


def find_model(path: Path | None) -> Path:
    """The model folder at ``path``: that folder itself, or the model of that run.

    Raises:
        ModelError: there is none, or the run has not saved a model yet.
    """
    if path is not None:
        for candidate in (path, RUNS / path):
            if (candidate / "model.safetensors").is_file():
                return candidate
        if not path.exists() and not (RUNS / path).exists():
            raise ModelError(f"{path}: no such run or model folder")
        if not any(RunFolder(candidate).exists for candidate in (path, RUNS / path)):
            raise ModelError(f"{path}: holds neither a run nor a model")
    run = find_run(path)
    if not (run.model / "model.safetensors").is_file():
        raise ModelError(f"{run.path}: has no model yet; let it train to its first validation")
    return run.model
