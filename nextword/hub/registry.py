"""The interface of the places that keep models in revisions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple


class Fetched(NamedTuple):
    """The result of fetching a revision."""

    revision: str
    """Its full name, under which it can be fetched again."""
    left_out: list[str]
    """Files of the revision that are no part of a model, and were not fetched."""


class Registry(ABC):
    """A place that keeps one model in revisions, each whole and never changed."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The model's name there."""

    @property
    @abstractmethod
    def location(self) -> str:
        """The place, as ``push`` and ``pull`` take it."""

    @abstractmethod
    def publish(self, folder: Path, private: bool = True) -> str:
        """Add a revision, which becomes the newest; either all of it is there afterwards, or none.

        Args:
            folder: a model folder that no one else writes to.
            private: whether a repository that is created is private.

        Returns:
            The revision's name.

        Raises:
            NextwordError: the place refuses it, cannot be reached or is full.
        """

    @abstractmethod
    def fetch(self, target: Path, revision: str | None = None) -> Fetched:
        """Copy the files of a model into a folder, and compare them with their checksums there.

        Args:
            target: an empty folder.
            revision: the revision's name; the newest by default.

        Raises:
            ModelError: there is no such revision, or it holds no model or a damaged one.
            NextwordError: the place cannot be reached, or ``target`` is full.
        """
