"""``import nextword`` is light, and its public names lead where they say."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nextword

PACKAGE = Path(nextword.__file__).parent
ROOT = Path(__file__).resolve().parents[1]


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


def readme_order() -> list[str]:
    """Modules and packages as the README's tree lists them, from the top down."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text[text.index("nextword/\n") :].split("```")[0].splitlines()[1:]
    return [
        name.removesuffix("/").removesuffix(".py")
        for line in tree
        for name in re.findall(r"\w+(?:\.py|/)(?= )", line)
    ]


def test_a_module_imports_only_what_stands_above_it_in_the_readme() -> None:
    order = readme_order()
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix in (".py", "")}
    assert set(order) == there - {"__init__", "__main__", "__pycache__", "shipped_files"}
    for path in PACKAGE.rglob("*.py"):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.ImportFrom):
                modules = [f"{node.module}.{name.name}" for name in node.names]
            modules += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                name = module.removeprefix("nextword.").split(".")[0]
                if module.startswith("nextword.") and own in order and name in order:
                    assert order.index(name) <= order.index(own), f"{path} imports {module}"
