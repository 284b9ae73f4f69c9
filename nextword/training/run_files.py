"""What a run writes when it starts: its configuration and ``run.json``."""

from __future__ import annotations

import torch

from nextword.config import Config, dump_config
from nextword.storage.files import write_atomically
from nextword.storage.run_folder import RunFolder, RunRecord
from nextword.text.prepare import EncodedText


def write_config(folder: RunFolder, config: Config, text: EncodedText) -> None:
    """Write ``run.json`` and then ``config.yaml``, which marks the folder as a run."""
    folder.write_record(
        RunRecord.of_this_machine(
            torch=str(torch.__version__),
            threads=torch.get_num_threads(),
            text_sha256=text.sha256,
            vocabulary_size=len(text.tokenizer),
        )
    )
    write_atomically(folder.config, dump_config(config))


def describe_text(text: EncodedText) -> str:
    """One line for the screen: how much there is to learn from."""
    part = text.parts["train"]
    unknown = 100 * part.unknown / max(len(part.ids), 1)
    return (
        f"{text.source}: {len(part.ids):,} words to train on, vocabulary {len(text.tokenizer):,} "
        f"({unknown:.1f} % of the words unknown); {text.held_out}"
    )
