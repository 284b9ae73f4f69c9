"""Files that come with the program, in a source checkout and in an installed wheel.

A wheel holds them in the package; in a checkout they are at the top, where people look for them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent  # pip unpacks wheels, so that there is a folder


def find_resource(kind: str, name: str) -> Path | None:
    """The file ``name`` (``quickstart.yaml``) of a ``kind`` (``configs``, ``data``).

    None if there is no such file; ``name`` is a bare file name, never a path.
    """
    if Path(name).name != name:
        return None
    candidates = (folder / name for folder in _folders(kind))
    return next((file for file in candidates if file.is_file()), None)


def resource_names(kind: str) -> list[str]:
    """The names of all files of a ``kind``, sorted."""
    return sorted(
        {file.name for folder in _folders(kind) for file in folder.iterdir() if file.is_file()}
    )


def _folders(kind: str) -> list[Path]:
    folders = [_PACKAGE / "shipped_files" / kind]
    checkout = _PACKAGE.parent
    # in site-packages, a neighbouring ``data`` folder belongs to another package
    if (checkout / "pyproject.toml").is_file():
        folders.append(checkout / kind)
    return [folder for folder in folders if folder.is_dir()]
