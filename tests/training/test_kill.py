"""SIGKILL at any moment costs no more than what came since the last save."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "kill_test.py"


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_killed_trainings_end_as_those_that_were_left_alone() -> None:
    command = [sys.executable, str(SCRIPT), "--kills", "6", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.match(r"6 kills in \d+ trainings, .*: all ended the same", done.stdout), done.stdout
