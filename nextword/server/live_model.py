"""A model folder whose answers follow its files: a training may replace them at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from nextword.errors import NextwordError
from nextword.inference.model_folder import FILES, load_model_folder
from nextword.server.engine import Engine
from nextword.server.limits import Limits
from nextword.storage.run_folder import run_of_model
from nextword.storage.verified import signature

CHECK_SECONDS = 1.0
"""How long the model in memory counts as that of the folder."""


class LiveModel:
    """The model in a folder.

    Args:
        folder: the model folder.
        limits: of its answers.
        on_message: receives a line when the model was replaced, or cannot be.

    Raises:
        ModelError: the folder holds no model.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        on_message: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.folder = folder
        self.limits = limits
        self._on_message = on_message
        self._signature = signature(folder, FILES).files
        self.engine = self._load()
        """Answers with the model read last; a model that is being replaced answers until the new
        one is whole."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._next_check = time.monotonic() + CHECK_SECONDS

    def _load(self) -> Engine:
        name = run_of_model(self.folder).path.name
        return Engine(load_model_folder(self.folder), name, self.limits)

    def check(self) -> Future[bool] | None:
        """Look, in another thread, whether the files were replaced, unless that was just done.

        Returns:
            Whether another model answers now; None if nothing was looked at.
        """
        now = time.monotonic()
        if now < self._next_check:
            return None
        self._next_check = now + CHECK_SECONDS
        return self._thread.submit(self.refresh)

    def refresh(self) -> bool:
        """Read the model again if its files were replaced; whether that was so."""
        current = signature(self.folder, FILES).files
        if current == self._signature:
            return False
        self._signature = current
        try:
            self.engine = self._load()
        except NextwordError as error:
            # being written: its files do not fit together yet
            self._on_message(f"the model was replaced, but cannot be read yet: {error}")
            return False
        self._on_message("the model was replaced; the new one answers from now on")
        return True

    def close(self) -> None:
        """End the thread that looks at the files."""
        self._thread.shutdown(cancel_futures=True)
