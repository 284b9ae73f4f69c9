"""``run.json``: the text, versions and machine of a training."""

from __future__ import annotations

import os
import platform
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nextword import __version__

_Number = Annotated[int, Field(ge=1, lt=1 << 53)]


class RunRecord(BaseModel):
    """The content of ``run.json``, which the configuration lacks."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    nextword: str
    """Version of this program."""
    torch: str
    """Version of PyTorch; empty for imported n-grams, which it has no part in."""
    python: str
    """Version of Python."""
    threads: _Number
    """Processor threads used; another number rounds differently."""
    text_sha256: Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
    """SHA-256 of the text's files, one after the other; of a pulled model, of its own files."""
    vocabulary_size: _Number
    """Words, the special ones included."""
    machine: str
    """Processor type, such as ``x86_64``."""
    processors: _Number
    """Logical processors of the machine."""

    reason: str = ""
    """Why the settings that were left open are as they are, where a budget of time decided it."""
    source: str = ""
    """Where the model was pulled from, and its revision; empty for one that was trained here."""

    @classmethod
    def of_this_machine(
        cls,
        *,
        torch: str,
        threads: int,
        text_sha256: str,
        vocabulary_size: int,
        reason: str = "",
        source: str = "",
    ) -> RunRecord:
        """The record of a run that this process trains or pulls."""
        return cls(
            nextword=__version__,
            torch=torch,
            python=platform.python_version(),
            threads=threads,
            text_sha256=text_sha256,
            vocabulary_size=vocabulary_size,
            machine=platform.machine(),
            processors=os.cpu_count() or 1,
            reason=reason,
            source=source,
        )
