"""Run folders: where they are, what is in them, and how a run is found by name or path.

``runs/<name>/`` holds ``config.yaml`` (what was set), ``run.json`` (what it ran with), ``model/``,
``state/`` and ``metrics.jsonl``. Finding a model imports neither the configuration nor pydantic,
whose import takes longer than a prediction.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextword.errors import ConfigError, ModelError
from nextword.storage.files import TEMPORARY_SUFFIX, read_json, unwritable, write_json
from nextword.storage.integrity import verify_checksum, with_checksum

if TYPE_CHECKING:
    from nextword.config.schema import Config
    from nextword.storage.metrics_log import MetricsLog
    from nextword.storage.run_record import RunRecord

RUNS = Path("runs")
"""The folder of all runs, below the current folder."""
_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run's files."""

    path: Path

    @property
    def reference(self) -> str:
        """What ``--run`` takes for this run: its name, or the path of a folder elsewhere."""
        return self.path.name if self.path == RUNS / self.path.name else str(self.path)

    @property
    def config(self) -> Path:
        """The configuration, with every setting resolved."""
        return self.path / "config.yaml"

    @property
    def record(self) -> Path:
        """The :class:`~nextword.storage.run_record.RunRecord`."""
        return self.path / "run.json"

    @property
    def model(self) -> Path:
        """The best model so far, self-contained."""
        return self.path / "model"

    @property
    def weights(self) -> Path:
        """The weights of that model; without them there is none yet."""
        return self.model / _WEIGHTS

    @property
    def state(self) -> Path:
        """The training state that a resume needs."""
        return self.path / "state" / "state.safetensors"

    @property
    def best(self) -> Path:
        """The best model's weights while ``model/`` holds those of an early stop."""
        return self.path / "state" / "best.safetensors"

    @property
    def lock(self) -> Path:
        """Locked while a training is running here."""
        return self.path / "state" / "lock"

    @property
    def metrics(self) -> Path:
        """One JSON line per report."""
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> MetricsLog:
        """The metrics log, to write and to read."""
        from nextword.storage.metrics_log import MetricsLog

        return MetricsLog(self.metrics)

    def write_record(self, record: RunRecord) -> None:
        """Write ``run.json`` atomically.

        Raises:
            NextwordError: the folder cannot be written.
        """
        write_json(self.record, with_checksum(record.model_dump(mode="json")))

    def read_record(self) -> RunRecord:
        """The contents of ``run.json``.

        Raises:
            ModelError: ``run.json`` is missing or damaged.
        """
        from pydantic import ValidationError

        from nextword.storage.run_record import RunRecord

        content = read_json(self.record, ModelError)
        verify_checksum(self.record, content)
        try:
            return RunRecord.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ModelError(f"{self.record}: {key}: {first['msg']}; train again") from None

    def read_config(self) -> Config:
        """The resolved configuration, whatever the environment says now.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        from nextword.config.load import load_config

        return load_config(self.config, environ={})

    @property
    def exists(self) -> bool:
        """Whether a training has started here."""
        return self.config.is_file()

    @property
    def empty(self) -> bool:
        """Whether the folder holds only what a training writes before its first save."""
        if self.state.exists() or self.weights.exists():
            return False
        names = {self.config.name, self.record.name, self.state.parent.name, self.model.name}
        return self.path.is_dir() and all(
            file.name in names or file.name.endswith(TEMPORARY_SUFFIX)
            for file in self.path.iterdir()
        )


def run_folder(name: str) -> RunFolder:
    """The folder of the run called ``name``, which need not exist.

    Raises:
        ConfigError: the name would lie outside ``runs/``.
    """
    if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
        raise ConfigError(f"run name {name!r}: use a plain name without slashes or leading dot")
    return RunFolder(RUNS / name)


def fresh_name(stem: str) -> str:
    """The first free name among ``stem``, ``stem-2``, ``stem-3`` and so on."""
    name, number = stem, 1
    while (RUNS / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return name


def known_runs() -> list[RunFolder]:
    """All runs under ``runs/``, sorted by name."""
    folders = sorted(RUNS.glob("*")) if RUNS.is_dir() else []
    return [run for run in map(RunFolder, folders) if run.exists]


def newest_run() -> RunFolder:
    """The run under ``runs/`` whose files changed last.

    Raises:
        ModelError: there is none.
    """
    runs = known_runs()
    if not runs:
        raise ModelError(
            f"no run under {RUNS}/ yet; start one with `nextword train`, or choose one with --model"
        )
    return max(runs, key=_last_change)


def run_to_begin(name: str | None, stem: str) -> RunFolder:
    """The folder of a new run, not created yet: called ``name``, or a free name after ``stem``.

    Raises:
        ConfigError: a run of that name exists already.
    """
    folder = run_folder(fresh_name(stem) if name is None else name)
    if folder.path.exists() and not folder.empty:
        remedy = "choose another --run"
        if folder.state.is_file():
            remedy += ", or continue it with --resume"
        raise ConfigError(f"{folder.path}: exists already; {remedy}")
    return folder


def begin_run(name: str | None, stem: str) -> RunFolder:
    """Create the folder of a new run; two runs that start at the same time get different folders.

    Raises:
        ConfigError: a run of that name exists already.
        NextwordError: the folder cannot be created.
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
    """The run to resume: by name, else by the path of its folder; the newest without a name.

    Raises:
        ConfigError: the run has saved nothing.
    """
    if name is None:
        folder = newest_run()
    else:
        folder = RunFolder(RUNS / name)
        if not folder.exists and RunFolder(Path(name)).exists:
            folder = RunFolder(Path(name))
    if folder.state.is_file():
        return folder
    if folder.weights.is_file():
        raise ConfigError(
            f"{folder.path}: its state is gone: the model can be used but not resumed; retrain "
            "under another --run"
        )
    if folder.path.exists() and not folder.empty:
        raise ConfigError(f"{folder.path}: holds no state to resume; train under another --run")
    raise ConfigError(f"{folder.path}: nothing to resume there; start it without --resume")


def _last_change(run: RunFolder) -> float:
    files = (run.config, run.metrics, run.weights)
    return max(file.stat().st_mtime for file in files if file.exists())


def find_run(path: Path | None) -> RunFolder:
    """The run at ``path``, a folder or a run's name; the newest without a path.

    Raises:
        ModelError: there is no such run.
    """
    if path is None:
        return newest_run()
    for candidate in (path, RUNS / path):
        if RunFolder(candidate).exists:
            return RunFolder(candidate)
    raise ModelError(f"{path} is not a run folder; `nextword info` lists the runs under {RUNS}/")


def _suggestion(path: Path) -> str:
    """A hint at the run that a path without a file was meant to name."""
    from difflib import get_close_matches

    names = [folder.path.name for folder in known_runs()]
    close = get_close_matches(path.name, names, n=1)
    if close:
        return f"; did you mean {close[0]}? `nextword info` lists the runs under {RUNS}/"
    return f"; `nextword info` lists the runs under {RUNS}/" if names else ""


def find_model(path: Path | None) -> Path:
    """The model folder at ``path``: that folder itself, or the one in that run.

    Raises:
        ModelError: there is none, or the run has not saved a model yet.
    """
    if path is not None:
        for candidate in (path, RUNS / path):
            if (candidate / _WEIGHTS).is_file():
                return candidate
        if not path.exists() and not (RUNS / path).exists():
            raise ModelError(f"{path}: no such run or model folder{_suggestion(path)}")
        if not any(RunFolder(candidate).exists for candidate in (path, RUNS / path)):
            raise ModelError(f"{path}: holds neither a run nor a model")
    run = find_run(path)
    if not run.weights.is_file():
        raise ModelError(f"{run.path}: has no model yet; let it train to its first validation")
    return run.model


def run_of_model(model: Path) -> RunFolder:
    """The run that a model folder belongs to, by a path with a name, even for ``.``.

    For a model folder that was copied elsewhere it is that folder, which does not exist as a run.
    """
    named = model.name == "model" and model.parent.name
    folder = model if named else Path(os.path.abspath(model))
    return RunFolder(folder.parent if folder.name == "model" else folder)
