"""Generates docs/configuration.md and nextword/config/keys.json, which shells complete from, from
the schema; a test checks that they are up to date.

python scripts/describe_config.py
"""

import json
from pathlib import Path

from nextword.config.key_summary import KEYS
from nextword.config.reference import describe_config, summarize_keys

INTRODUCTION = """# Configuration

Generated from `nextword/config/schema.py` by `python scripts/describe_config.py`.

A value comes from `--set KEY=VALUE`, else from a `NEXTWORD_*` variable (the key in capitals, dots
as underscores), else from the YAML file given with `--config`, else from the default.

"""


def page() -> str:
    """The text of the page."""
    return INTRODUCTION + describe_config().strip() + "\n"


def keys() -> str:
    """The text of the list of keys, one a line."""
    entries = (json.dumps(key._asdict(), ensure_ascii=False) for key in summarize_keys())
    return "[\n" + ",\n".join(entries) + "\n]\n"


if __name__ == "__main__":
    KEYS.write_text(keys(), encoding="utf-8")
    target = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
    target.write_text(page(), encoding="utf-8")
