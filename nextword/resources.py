"""Files that ship with the program, found in a source checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def find_resource(kind: str, name: str) -> Path | None:
    """The shipped file ``name`` (``quickstart.yaml``) of a ``kind`` (``configs``, ``data``).

    None where there is no such file; ``name`` is a bare file name, never a path.
    """
    if Path(name).name != name:
        return None
    found = (folder / name for folder in _folders(kind))
    return next((file for file in found if file.is_file()), None)


def resource_names(kind: str) -> list[str]:
    """The names of all files of that ``kind``, sorted."""
    return sorted(
        {file.name for folder in _folders(kind) for file in folder.iterdir() if file.is_file()}
    )


def _folders(kind: str) -> list[Path]:
    """Where such files may lie; a checkout is known by its pyproject.toml, as site-packages
    may hold a ``data`` folder of somebody else's."""
    folders = [_PACKAGE / "shipped_files" / kind]
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        folders.append(checkout / kind)
    return [folder for folder in folders if folder.is_dir()]
