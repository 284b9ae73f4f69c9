"""Generates docs/configuration.md from the schema; a test checks that it is up to date.

python scripts/describe_config.py
"""

from pathlib import Path

from nextword.config.reference import describe_config

INTRODUCTION = """# Configuration

Generated from `nextword/config/schema.py` by `python scripts/describe_config.py`.

A value comes from `--set KEY=VALUE`, else from a `NEXTWORD_*` variable (the key in capitals, dots
as underscores), else from the YAML file given with `--config`, else from the default.

"""


def page() -> str:
    """The text of the page."""
    return INTRODUCTION + describe_config().strip() + "\n"


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
    target.write_text(page(), encoding="utf-8")
