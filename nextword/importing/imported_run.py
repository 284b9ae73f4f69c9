"""A run folder made from an ARPA file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.config.load import dump_config
from nextword.config.schema import Config, ModelConfig, TextConfig
from nextword.errors import ModelError
from nextword.importing.arpa_file import Progress, read_arpa
from nextword.importing.interpolation import Interpolated, interpolate
from nextword.inference.loaded_model import LoadedNgrams
from nextword.inference.model_folder import save_model
from nextword.ngram.model import NgramModel
from nextword.storage.files import write_atomically
from nextword.storage.run_folder import RunFolder, run_folder
from nextword.storage.run_record import RunRecord
from nextword.storage.run_replacement import check_replaceable, replacing_run
from nextword.text.detokenizer import Kind
from nextword.text.normalize import normalize
from nextword.text.tokenizer import Tokenizer

MOST_COUNTS = 10**9
"""The sum of all word counts that are made up from probabilities, at most."""
_UNEVEN = 1e-3
"""How far from one the probabilities of single words may sum without a note."""


class Splitting(NamedTuple):
    """How a text is split into the words of a file."""

    kind: Kind
    lowercase: bool


AT_SPACES = Splitting("whitespace", lowercase=False)
"""Of text that is tokenized, as the file's words are."""


@dataclass(frozen=True)
class ImportedRun:
    """The result of an import."""

    folder: RunFolder
    loaded: LoadedNgrams
    notes: list[str]
    """What a user should know, a line each."""


def import_arpa(
    path: Path,
    run: str,
    splitting: Splitting = AT_SPACES,
    encoding: str = "utf-8",
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> ImportedRun:
    """Make a run of an ARPA file.

    Args:
        path: the file; may be compressed by gzip.
        run: the run's name.
        splitting: how texts are split.
        encoding: of the file.
        force: replace a run of that name.
        progress: called with the number of bytes read, and of all.

    Raises:
        ConfigError: there is a run of that name, or it is being trained.
        ModelError: the file cannot be read or is malformed.
        NextwordError: the run cannot be written; nothing of it is left.
    """
    target = run_folder(run)
    check_replaceable(target, force)
    file = read_arpa(path, encoding, progress)
    try:
        interpolated = interpolate(file)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    tokenizer = Tokenizer(_as_split(file.words, splitting.lowercase), *splitting)
    config = Config(
        text=TextConfig(tokenizer=splitting.kind, lowercase=splitting.lowercase),
        model=ModelConfig(kind="ngram", order=len(interpolated.tree.sizes)),
    )
    model = NgramModel(interpolated.tree)
    settings = config.model.model_dump(mode="json")
    loaded = LoadedNgrams(model, tokenizer, settings, _word_counts(interpolated.tree.unigrams))
    with replacing_run(target, force) as folder:
        digest = _sha256(path)
        save_model(folder.model, loaded, _model_card(path, digest, loaded))
        folder.write_record(
            RunRecord.of_this_machine(
                torch="", threads=1, text_sha256=digest, vocabulary_size=len(tokenizer)
            )
        )
        write_atomically(folder.config, dump_config(config))
    return ImportedRun(target, loaded, [*file.notes, *_notes(interpolated)])


def _notes(interpolated: Interpolated) -> Iterator[str]:
    if abs(interpolated.word_total - 1) > _UNEVEN:
        yield (
            f"the probabilities of single words sum to {interpolated.word_total:.4g}, and were "
            "divided by that"
        )
    if interpolated.changed:
        followed = np.count_nonzero(np.diff(interpolated.tree.offsets))
        yield (
            f"after {interpolated.changed:,} of {followed:,} contexts, probabilities differ from "
            "the file's, which do not sum to one or make a listed word rarer than one that is not"
        )


def _as_split(words: Sequence[str], lowercase: bool) -> list[str]:
    """The words as a text is normalised, so that it meets them, where they stay distinct."""
    known = {*words}
    normal: list[str] = []
    for word in words:
        other = normalize(word, lowercase)
        if other not in known and other:
            known.add(other)
            normal.append(other)
        else:
            normal.append(word)
    return normal


def _word_counts(unigrams: NDArray[np.float32]) -> NDArray[np.int64]:
    """Counts with the ratios of some probabilities; the rarest word counts once, if possible."""
    shares = unigrams.astype(np.float64)
    rarest = shares[shares > 0].min()
    counts: NDArray[np.int64] = np.rint(shares * min(1 / rarest, MOST_COUNTS)).astype(np.int64)
    return counts


def _sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _model_card(path: Path, digest: str, loaded: LoadedNgrams) -> str:
    """The README.md of a model folder, in Markdown."""
    sizes = ", ".join(f"{size:,}" for size in loaded.model.ngram_counts())
    return f"""# A next-word predictor

- Imported from the ARPA file {path.name} (SHA-256 `{digest}`)
- N-grams of 1 to {loaded.architecture.order} words: {sizes}
- Vocabulary: {len(loaded.tokenizer):,} words, `{loaded.tokenizer.kind}` tokenizer

Use it from the terminal, with this folder's path:

```
nextword predict --model FOLDER
```

`config.json` describes the model, `tokenizer.json` holds the words (Hugging Face `tokenizers`
format), `model.safetensors` holds the n-grams. Nothing in this folder is code.
"""
