"""One training at a time in a run folder, and no lock that outlives its process."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nextword.errors import ConfigError, NextwordError
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import RunFolder

HOLD = """
import sys, time
from pathlib import Path
from nextword.storage.run_folder import RunFolder
from nextword.storage.lock import RunLock
with RunLock(RunFolder(Path(sys.argv[1])), print):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_training_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "mine")
    said: list[str] = []
    with RunLock(run, said.append):
        with pytest.raises(ConfigError, match="mine: another training is running in this run"):
            RunLock(run, said.append).take()
        RunLock(RunFolder(tmp_path / "other"), said.append).take()
    with RunLock(run, said.append):
        pass
    assert said == []


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "mine")
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            with pytest.raises(ConfigError, match="another training"):
                RunLock(run, print).take()
        finally:
            process.kill()
    with RunLock(run, print):
        assert run.lock.exists()


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS])
def test_where_there_are_no_locks_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def none(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", none)
    said: list[str] = []
    with RunLock(RunFolder(tmp_path / "mine"), said.append):
        pass
    assert len(said) == 1 and "does not support locks" in said[0]


def test_a_run_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("in the way")
    with pytest.raises(NextwordError, match="mine/state/lock: cannot be written"):
        RunLock(RunFolder(tmp_path / "mine"), print).take()
