"""``scripts/environment.sh``: which PyTorch it installs, and when it installs at all."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "environment.sh"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PYTHON = """#!/usr/bin/env bash
# stands in for Python and for that of the virtual environments that it makes
here="$FAKES"
case "$*" in
"-m venv "*) mkdir -p "$3/bin"; cp "${BASH_SOURCE[0]}" "$3/bin/python" ;;
"-m pip --version") ;;
"-m pip install "*) printf '%s\\n' "$@" >"$here/pip"; [ ! -f "$here/in-pip" ] || . "$here/in-pip" ;;
*urlopen*) . "$here/network" ;;
*importlib.metadata*) PYTHONPATH="$here/site" exec "$PYTHON" -S "$@" ;;
esac
"""
CALL = """
set -euo pipefail
root="$1"
source "$1/scripts/environment.sh"
prepare_environment "$2"
command -v python
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("timeout")), reason="there is no bash or no timeout"
)
Prepare = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Calls prepare_environment on Linux without a GPU, where PyTorch's index can be reached."""
    scripts = tmp_path / "my checkout" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(SCRIPT, scripts)
    (scripts / "constraints.txt").write_text("torch==2.13.0\n")
    (scripts.parent / "pyproject.toml").touch()
    (tmp_path / "network").write_text("exit 0")
    fake(tmp_path, "python3", PYTHON)
    fake(tmp_path, "uname", "#!/bin/sh\necho Linux\n")
    fake(tmp_path, "nvidia-smi", "#!/bin/sh\nexit 127\n")

    def run(extras: str = "") -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", CALL, "bash", str(scripts.parent), extras],
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path, "FAKES": str(tmp_path), "PYTHON": sys.executable},
        )

    return run


def fake(folder: Path, name: str, script: str) -> None:
    """A program that is found before the machine's own."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / name).write_text(script)
    (tools / name).chmod(0o755)


def install_torch(folder: Path, version: str) -> None:
    """A trace of PyTorch, as pip and importlib.metadata know it."""
    metadata = folder / "site" / f"torch-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")


def pip_arguments(folder: Path) -> list[str] | None:
    """What pip was called with since this was last asked."""
    log = folder / "pip"
    if not log.exists():
        return None
    arguments = log.read_text().splitlines()
    log.unlink()
    return arguments


def test_without_a_gpu_the_cpu_build_is_installed(prepare: Prepare, tmp_path: Path) -> None:
    prepared = prepare("dev")
    checkout = tmp_path / "my checkout"
    assert prepared.returncode == 0, prepared.stderr
    assert prepared.stdout == f"{checkout}/.venv/bin/python\n"
    assert "no NVIDIA GPU: installing PyTorch's CPU build" in prepared.stderr
    arguments = pip_arguments(tmp_path) or []
    assert arguments[arguments.index("--extra-index-url") + 1] == CPU_INDEX
    assert arguments[arguments.index("--constraint") + 1] == f"{checkout}/scripts/constraints.txt"
    assert arguments[arguments.index("--editable") + 1] == f"{checkout}[dev]"


def test_with_a_gpu_the_cuda_build_is_installed(prepare: Prepare, tmp_path: Path) -> None:
    fake(tmp_path, "nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA T4 (UUID: GPU-1)'\n")
    prepared = prepare()
    assert prepared.returncode == 0 and "NVIDIA GPU found" in prepared.stderr
    assert "--extra-index-url" not in (pip_arguments(tmp_path) or [])


def test_a_driver_without_a_gpu_counts_as_none(prepare: Prepare, tmp_path: Path) -> None:
    fake(tmp_path, "nvidia-smi", "#!/bin/sh\necho No devices were found\nexit 6\n")
    assert "CPU build" in prepare().stderr
    assert CPU_INDEX in (pip_arguments(tmp_path) or [])


def test_another_system_has_no_such_choice(prepare: Prepare, tmp_path: Path) -> None:
    fake(tmp_path, "uname", "#!/bin/sh\necho Darwin\n")
    prepared = prepare()
    assert prepared.returncode == 0 and "GPU" not in prepared.stderr
    assert "--extra-index-url" not in (pip_arguments(tmp_path) or [])


@pytest.mark.parametrize("network", ["exit 1", "exec sleep 60"])
def test_no_connection_is_said_and_costs_seconds(
    prepare: Prepare, tmp_path: Path, network: str
) -> None:
    (tmp_path / "network").write_text(network)
    started = time.monotonic()
    prepared = prepare()
    assert time.monotonic() - started < 10
    assert prepared.returncode == 0, prepared.stderr
    (line,) = [line for line in prepared.stderr.splitlines() if "GPU" in line]
    assert f"builds ({CPU_INDEX}) cannot be reached" in line and "5.5 GB" in line
    arguments = pip_arguments(tmp_path)
    assert arguments is not None and "--extra-index-url" not in arguments


@pytest.mark.parametrize("version", ["2.13.0", "2.13.0+cpu", "2.13.0+cu130"])
def test_an_installed_torch_stays(prepare: Prepare, tmp_path: Path, version: str) -> None:
    install_torch(tmp_path, version)
    prepared = prepare()
    assert prepared.returncode == 0 and "GPU" not in prepared.stderr
    assert "--extra-index-url" not in (pip_arguments(tmp_path) or [])


def test_another_version_of_torch_is_replaced_by_a_cpu_build(
    prepare: Prepare, tmp_path: Path
) -> None:
    install_torch(tmp_path, "2.1")  # the wanted 2.13.0 begins like it
    assert "CPU build" in prepare().stderr
    assert CPU_INDEX in (pip_arguments(tmp_path) or [])


def test_nothing_is_installed_twice(prepare: Prepare, tmp_path: Path) -> None:
    prepare("dev")
    assert pip_arguments(tmp_path) is not None
    for extras in ("dev", ""):
        again = prepare(extras)
        assert again.returncode == 0 and again.stderr == ""
    assert pip_arguments(tmp_path) is None
    (tmp_path / "my checkout" / "scripts" / "constraints.txt").write_text("torch==2.14.0\n")
    prepare()
    assert pip_arguments(tmp_path) is not None


@pytest.mark.parametrize("end", ["exit 1", "kill -KILL $PPID", "rm -r .venv/bin/python; exit 1"])
def test_an_interrupted_installation_is_done_again(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.chdir(tmp_path / "my checkout")
    (tmp_path / "in-pip").write_text(end)
    assert prepare().returncode != 0
    assert "--ignore-installed" not in (pip_arguments(tmp_path) or [])
    # pip takes a package that was half unpacked for an installed one
    install_torch(tmp_path, "2.13.0")
    (tmp_path / "in-pip").unlink()
    mended = prepare()
    assert mended.returncode == 0 and "CPU build" in mended.stderr
    arguments = pip_arguments(tmp_path) or []
    assert "--ignore-installed" in arguments and CPU_INDEX in arguments
    assert prepare().stderr == "" and pip_arguments(tmp_path) is None
