"""``import nextword`` is light, and its public names lead where they say."""

import subprocess
import sys

import pytest

import nextword


def test_importing_the_package_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, nextword; dir(nextword); sys.exit(bool({'torch', 'numpy'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names_are_listed_and_found() -> None:
    for name in nextword.__all__:
        assert name in dir(nextword)
        assert getattr(nextword, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        nextword.nothing  # noqa: B018
