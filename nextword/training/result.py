"""The result of a run: figures of its best model, prompts to try, the model card."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.config.schema import Config
from nextword.inference.decoder import Decoder, Distributions, Ids
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.scoring import score_stream
from nextword.model import Model
from nextword.statistics import perplexity
from nextword.text.dataset import EncodedText, TextPart
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import SPECIAL_WORDS
from nextword.training.callbacks import Progress
from nextword.training.clock import spread
from nextword.training.run_context import RunContext

HELD_OUT = {"valid": "validation", "test": "test"}
"""The held-out parts and their titles."""
ARTICLE_PROMPT = "Napoleon was the Emperor of"
"""The example of the article that the program implements."""
PROMPT_LENGTH = 5
"""Words of a prompt that is taken from the text."""
PROMPT_TEXT = 50_000
"""Words of the text that are searched for a prompt, at most."""


@dataclass(frozen=True)
class TrainingResult:
    """The result of a run; ``train --json`` prints the fields up to ``path``."""

    run: str
    steps: int
    words: int
    """Targets trained on, repeated ones included."""
    seconds: float
    """The user's wait from start to these figures, over all resumes."""
    saving_share: float
    """Share of that time spent on saving."""
    tokens_per_second: float
    valid_perplexity: float | None
    """Of the whole model, by the exact softmax, in one stream; None without such a part."""
    test_perplexity: float | None
    network_valid_perplexity: float | None
    """Of the network alone, where n-grams are mixed with it; else the same."""
    network_test_perplexity: float | None
    valid_perplexity_error: float | None
    """Standard error of ``valid_perplexity``; None if the part is too short for one."""
    test_perplexity_error: float | None
    path: Path
    """The run folder."""
    prompt: str
    """A prompt that fits the text."""
    stopped: bool
    """Whether it was stopped early; a resume would continue it."""
    model: Model
    """The best model."""

    def as_dict(self) -> dict[str, Any]:
        """The keys and values of ``nextword train --json``."""
        names = [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names[: names.index("path")]}


def conclude(
    run: RunContext,
    best: LoadedModel,
    parts: Mapping[str, TextPart],
    progress: Progress,
    stopped: bool,
    most_words: int | None = None,
) -> TrainingResult:
    """Measure the best model of a run on the held-out parts, and log the result.

    Args:
        run: the run.
        best: its model.
        parts: the parts of the text.
        progress: where the training ended.
        stopped: whether it was stopped early.
        most_words: words of each part that are measured, at most; all by default.
    """
    measured = {
        part: perplexities(
            best.decoder(),
            parts[part].ids if most_words is None else spread(parts[part].ids, most_words),
            len(best.tokenizer),
            partial(run.callback.on_progress, f"measuring on the {title} part"),
        )
        for part, title in HELD_OUT.items()
        if part in parts
    }
    nothing = (None, None, None)
    valid, network_valid, valid_error = measured.get("valid", nothing)
    test, network_test, test_error = measured.get("test", nothing)
    seconds = run.clock()
    result = TrainingResult(
        run=run.folder.path.name,
        steps=progress.step,
        words=progress.words,
        seconds=round(seconds, 3),
        saving_share=round(progress.saving_seconds / max(seconds, 1e-9), 5),
        tokens_per_second=round(progress.words / max(seconds, 1e-9), 1),
        valid_perplexity=valid,
        test_perplexity=test,
        network_valid_perplexity=network_valid,
        network_test_perplexity=network_test,
        valid_perplexity_error=valid_error,
        test_perplexity_error=test_error,
        path=run.folder.path,
        prompt=first_prompt(best.tokenizer, parts),
        stopped=stopped,
        model=Model(best, run.folder.model),
    )
    run.log("result", **result.as_dict())
    return result


class Perplexities(NamedTuple):
    """Of one text."""

    mixed: float
    """Of the whole model."""
    network: float
    """Of the network alone, where others are mixed with it; else the same."""
    error: float | None
    """The standard error of the whole model's; None if the text is too short."""


def perplexities(
    decoder: Decoder,
    ids: NDArray[np.integer],
    vocabulary_size: int,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Perplexities:
    """Perplexity of a text in one stream.

    Args:
        decoder: the model, at the beginning of a text.
        ids: the text ``(words,)``.
        vocabulary_size: size of the distributions.
        progress: receives the number of words predicted, and of all.

    Raises:
        ModelError: the model gives NaN.
    """
    blocks, done = [], 0
    for nats in score_stream(decoder.read, ids, vocabulary_size, _nats):
        blocks.append(nats)
        done += nats.shape[1]
        progress(done, len(ids))
    mixed, network = np.concatenate([np.zeros((2, 0)), *blocks], 1)
    value, error = perplexity(mixed)
    return Perplexities(value, perplexity(network)[0], error)


def _nats(distributions: Distributions, targets: Ids, here: slice) -> NDArray[np.float64]:
    """Surprisals of the targets under the whole model and the network alone, ``(2, targets)``."""
    both = (distributions, distributions.unmixed)
    return -np.stack([model.log_probabilities_of(targets) for model in both]).astype(np.float64)


def first_prompt(tokenizer: Tokenizer, parts: Mapping[str, TextPart]) -> str:
    """A prompt to try on a model of a text; empty if its vocabulary has no word."""
    held_out = parts.get("valid", parts["train"]).ids[:PROMPT_TEXT]
    return next(iter(default_prompts(tokenizer, held_out, wanted=1)), "")


def default_prompts(
    tokenizer: Tokenizer, held_out: NDArray[np.integer], wanted: int = 3
) -> list[str]:
    """The article's prompt where the vocabulary has its words, and first words of paragraphs.

    Where no paragraph begins with five words that the vocabulary has, the longest beginning of such
    words is taken, else the most frequent word. Empty only if the vocabulary has no word.

    Args:
        tokenizer: words and ids.
        held_out: ids of the validation part ``(words,)``.
        wanted: number of prompts, at most.
    """
    prompts = [] if tokenizer.unknown_words(ARTICLE_PROMPT) else [ARTICLE_PROMPT]
    ends = np.flatnonzero(held_out == tokenizer.end_id)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.zeros(1, dtype=np.int64)
    beginnings = [_known_beginning(held_out[start : start + PROMPT_LENGTH]) for start in starts]
    readable = [ids for ids in beginnings if len(ids) == PROMPT_LENGTH]
    places = np.linspace(0, len(readable) - 1, wanted - len(prompts)) if readable else ()
    prompts += [tokenizer.decode(readable[int(place)]) for place in places]
    if not prompts:
        longest: list[int] = max(beginnings, key=len)
        words = tokenizer.words[len(SPECIAL_WORDS) :]
        # letters before punctuation marks, and otherwise the most frequent first
        frequent = sorted(words, key=lambda word: not any(map(str.isalnum, word)))
        candidates = [tokenizer.decode(longest), *frequent]
        prompts += [text for text in candidates if text and not tokenizer.unknown_words(text)][:1]
    return list(dict.fromkeys(prompts))


def _known_beginning(ids: NDArray[np.integer]) -> list[int]:
    """The words before the first one that is unknown or ends a paragraph."""
    special = np.flatnonzero(ids < len(SPECIAL_WORDS))
    return [int(word) for word in (ids[: special[0]] if len(special) else ids)]


def model_card(config: Config, text: EncodedText, loaded: LoadedModel) -> str:
    """The README.md of a model folder, in Markdown.

    Args:
        config: of the run.
        text: the model was trained on.
        loaded: the model.
    """
    files = config.text.file_names_of("train")
    names = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
    prompt = first_prompt(text.tokenizer, text.parts)
    tensors = ", ".join(f"`{name}`" for name in loaded.arrays())
    return f"""# A next-word predictor

- Trained on: {names} ({len(text.parts["train"].ids):,} words, SHA-256 `{text.sha256}`)
- {loaded.description}, {loaded.parameter_count():,} learned numbers
- Vocabulary: {len(text.tokenizer):,} words, `{text.tokenizer.kind}` tokenizer

Use it from the terminal, with this folder's path:

```
nextword predict --model FOLDER -- {shlex.quote(prompt)}
```

or from Python:

```python
import nextword

nextword.load_model("FOLDER").predict({json.dumps(prompt, ensure_ascii=False)}, k=5)
```

`config.json` describes the model, `tokenizer.json` holds the words (Hugging Face `tokenizers`
format), `spacing.json` says where no space stands between them, `model.safetensors` holds the
weights. `mixture.json` and `ngram.safetensors`, where present, hold n-gram counts and the weights
that mix them with the network. Nothing in this folder is code.

Tensors of the model: {tensors}.
Shapes, and formulas to run it with any program: `docs/formats.md` in nextword's source.
"""
