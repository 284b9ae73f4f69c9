"""The written reference and the shipped YAML files are those of the schema."""

import importlib.util
from pathlib import Path

import pytest

from nextword.config import load_config

ROOT = Path(__file__).resolve().parents[2]


def test_the_written_reference_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("page", ROOT / "scripts" / "describe_config.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == module.page(), "run: python scripts/describe_config.py"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_config_loads_and_begins_with_its_command(path: Path) -> None:
    load_config(path, environ={})
    assert path.read_text(encoding="utf-8").startswith(f"# nextword train --config {path.stem}")
