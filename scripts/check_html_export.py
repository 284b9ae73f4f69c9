"""Measures what packing a model for the web page costs.

    python scripts/check_html_export.py runs/war [--max-bytes N] [--words N] [--json]

Compares the packed model with the full one on the held-out validation part of the run's text: its
perplexity, with the packed weights in NumPy, and the first five words, as the page's own engine
finds them in Node.js, with those that Python finds with the full model. The times are those of the
engine for reading a word and finding the first five after it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from unpack_model import read_container, unpack

from nextword.export.dense_text import dense_text
from nextword.export.pack import MAX_BYTES, pack
from nextword.inference import Adapt
from nextword.inference.decoder import Distributions, Ids
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.scoring import score_stream
from nextword.model import load_model
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS

ENGINE = Path(__file__).resolve().parents[1] / "tests" / "page" / "engine.mjs"
POSITIONS = 5000
"""Positions whose first five words are compared."""
TIMED_WORDS = 3000


def perplexity(loaded: LoadedModel, ids: NDArray[np.integer], adapt: Adapt) -> float:
    """Perplexity of a text."""

    def surprisals(distributions: Distributions, targets: Ids, here: slice) -> Any:
        return -distributions.log_probabilities_of(targets).astype(np.float64)

    decoder = loaded.decoder(adapt)
    blocks = list(score_stream(decoder.read, ids, len(loaded.tokenizer), surprisals))
    return float(np.exp(np.concatenate(blocks).mean()))


def first_five(loaded: LoadedModel, ids: NDArray[np.integer], adapt: Adapt) -> NDArray[np.int64]:
    """The likeliest words at each position, ``(positions, 5)``."""

    def best(distributions: Distributions, targets: Ids, here: slice) -> NDArray[np.int64]:
        probabilities = distributions.probabilities.copy()
        probabilities[:, : len(SPECIAL_WORDS)] = -1
        return np.argsort(-probabilities, axis=1, kind="stable")[:, :5]

    decoder = loaded.decoder(adapt)
    return np.concatenate(list(score_stream(decoder.read, ids, len(loaded.tokenizer), best)))


def ask(question: str, packed: Path, ids: NDArray[np.integer], **details: Any) -> Any:
    """The engine's answer; it reads the end of a paragraph and the words."""
    node = shutil.which("node")
    if node is None:
        raise click.ClickException("needs Node.js")
    words = [END_ID, *ids.tolist()]
    request = {"question": question, "packed": str(packed), "ids": words, **details}
    command = [node, str(ENGINE)]
    answer = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True)
    if answer.returncode:
        raise click.ClickException(answer.stderr)
    return json.loads(answer.stdout)


def measure(run: str, max_bytes: int, words: int | None) -> dict[str, Any]:
    """All figures by name."""
    model = load_model(run)
    ids = model.text(split="valid").ids[:words]
    content = pack(model.loaded, max_bytes)
    unpacked = unpack(content, model.loaded)
    header, _ = read_container(content)
    figures: dict[str, Any] = {
        "model": model.loaded.title,
        "words": len(model.words),
        "packed_bytes": len(content),
        "text_bytes": len(dense_text(content).encode()),
        "base64_bytes": -(-len(content) // 3) * 4,
        "ngrams": sum(header["ngram"]["sizes"][1:]) if header["ngram"] else 0,
    }
    ways: list[Adapt] = ["none", "cache"] if model.loaded.has_network else ["none"]
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder, "packed")
        packed.write_bytes(content)
        for adapt in ways:
            full, small = (perplexity(it, ids, adapt) for it in (model.loaded, unpacked))
            expected = first_five(model.loaded, ids[:POSITIONS], adapt)
            answer = ask(
                "top5", packed, ids[: POSITIONS - 1], cached=adapt == "cache", webAssembly=True
            )
            same = np.array(answer) == expected[: len(answer)]
            as_sets = np.sort(answer, 1) == np.sort(expected[: len(answer)], 1)
            figures[adapt] = {
                "perplexity_full": full,
                "perplexity_packed": small,
                "perplexity_change": small / full - 1,
                "same_five_in_order": float(same.all(1).mean()),
                "same_five_in_any_order": float(as_sets.all(1).mean()),
            }
        for name, flag in (("webassembly", True), ("plain", False)):
            answer = ask("times", packed, ids[:TIMED_WORDS], webAssembly=flag)
            figures[name] = {
                "opening_ms": answer["opening"],
                "word_median_ms": float(np.median(answer["words"])),
                "word_p95_ms": float(np.percentile(answer["words"], 95)),
                "word_cpu_ms": answer["cpu"],
            }
    return figures


@click.command()
@click.argument("run")
@click.option("--max-bytes", default=MAX_BYTES, help="Of the packed model.")
@click.option("--words", type=int, help="Words of the text that are measured; all by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def main(run: str, max_bytes: int, words: int | None, as_json: bool) -> None:
    """Measure what packing the model of RUN costs."""
    figures = measure(run, max_bytes, words)
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        for key, number in value.items() if isinstance(value, dict) else [("", value)]:
            shown = f"{number:,.4f}" if isinstance(number, float) else f"{number:}"
            print(f"{f'{name} {key}':<32}{shown:>24}")


if __name__ == "__main__":
    sys.exit(main())
