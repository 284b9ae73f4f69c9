"""The parts of the page's interface that need no browser, tested in Node."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
def test_the_interface_in_node() -> None:
    assert NODE is not None
    tests = Path(__file__).with_name("interface.test.mjs")
    result = subprocess.run([NODE, "--test", tests], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^# pass [1-9]", result.stdout, re.MULTILINE)
