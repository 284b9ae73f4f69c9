"""Measures how exactly words turn back into the text that they came from.

    python scripts/round_trip.py TEXT_OR_FOLDER... [--rules-only] [--wrong N] [--json]

Of each file a tenth is held out, as blocks spread over the text; the rest is what a tokenizer may
learn from. Each held-out paragraph is split into words, the words are made into text again, and
that is compared with the paragraph, with every run of white space as one space, in NFC.
Paragraphs whose characters the tokenizer itself changes are counted, and not compared.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from nextword.errors import NextwordError
from nextword.formatting import percent
from nextword.text.detokenizer import detokenize
from nextword.text.readers import read_paragraphs
from nextword.text.split import TEST, split_blocks
from nextword.text.tokenized import learn_spacing
from nextword.text.tokenizer import Tokenizer

HELD_OUT = 0.1
"""The share of each text that is measured and not learned from."""
COLUMNS = ("text", "gaps", "right", "spaces lost", "spaces added") + (
    "characters right",
    "paragraphs",
    "identical",
    "altered",
)


@dataclass
class Score:
    """Counts of one text's held-out part; a gap is the place between two neighbouring words."""

    text: str
    gaps: int = 0
    lost_spaces: int = 0
    """Gaps with a space in the text and none between the words as rebuilt."""
    new_spaces: int = 0
    """Gaps with a space between the words as rebuilt and none in the text."""
    characters: int = 0
    paragraphs: int = 0
    identical: int = 0
    altered: int = 0
    """Paragraphs whose characters, white space aside, the tokenizer changed; in no other count."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Wrong gaps, each as its two words, with the space as it stands in the text."""

    def add(self, words: Sequence[str], paragraph: str, rebuilt: str) -> None:
        """Count one paragraph. Both texts are in NFC, with single spaces."""
        if "".join(words) != paragraph.replace(" ", ""):
            self.altered += 1
            return
        self.paragraphs += 1
        self.identical += rebuilt == paragraph
        self.characters += len(paragraph)
        self.gaps += len(words) - 1
        spaces = zip(_spaces(words, paragraph), _spaces(words, rebuilt), strict=True)
        for (left, right), (space, guess) in zip(_pairs(words), spaces, strict=True):
            self.lost_spaces += space and not guess
            self.new_spaces += guess and not space
            if space != guess:
                self.wrong[left + " " * space + right] += 1

    def shares(self) -> dict[str, float]:
        """The shares that the counts give; NaN where there is nothing to measure."""
        wrong = self.lost_spaces + self.new_spaces
        return {
            "gaps_right": 1 - wrong / self.gaps if self.gaps else float("nan"),
            "characters_right": 1 - wrong / self.characters if self.characters else float("nan"),
            "identical": self.identical / self.paragraphs if self.paragraphs else float("nan"),
        }


def detokenizer_for(
    paragraphs: Sequence[str], rules_only: bool
) -> tuple[Tokenizer, Callable[[Sequence[str]], str]]:
    """A tokenizer learned from the paragraphs, and a function that makes text of its words."""
    tokenizer = Tokenizer.learn(paragraphs, "words", lowercase=False)
    if not rules_only:
        spacing = learn_spacing(tokenizer, paragraphs)
        tokenizer = tokenizer.with_words(tokenizer.words, spacing)
    return tokenizer, lambda words: detokenize(words, tokenizer.detokenizer())


def measure(path: Path, rules_only: bool) -> Score:
    """The score of one file. Raises TextError if it cannot be read or has one paragraph only."""
    score = Score(path.stem)
    paragraphs = list(read_paragraphs(path))
    lengths = np.array([len(paragraph.split()) for paragraph in paragraphs], dtype=np.int64)
    held_out = split_blocks(lengths, valid=0, test=HELD_OUT) == TEST
    learned = [text for text, out in zip(paragraphs, held_out, strict=True) if not out]
    tokenizer, rebuild = detokenizer_for(learned, rules_only)
    for paragraph, out in zip(paragraphs, held_out, strict=True):
        if out and (words := tokenizer.split(paragraph)):
            score.add(words, _plain(paragraph), _plain(rebuild(words)))
    return score


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(words[:-1], words[1:], strict=True)


def _spaces(words: Sequence[str], text: str) -> Iterator[bool]:
    """For each gap between the words, whether the text has a space there."""
    position = 0
    for word in words[:-1]:
        position += len(word)
        space = text[position : position + 1] == " "
        position += space
        yield space


def table(scores: Sequence[Score]) -> str:
    """The scores, a row each, and a last row with the mean of every share."""
    rows = [COLUMNS]
    for score in scores:
        gaps, characters, same = (percent(share) for share in score.shares().values())
        rows.append(
            (score.text, f"{score.gaps:,}", gaps, f"{score.lost_spaces:,}")
            + (f"{score.new_spaces:,}", characters, f"{score.paragraphs:,}", same)
            + (f"{score.altered:,}",)
        )
    shares = zip(*(score.shares().values() for score in scores), strict=True)
    gaps, characters, same = (percent(float(np.nanmean(column))) for column in shares)
    rows.append(("mean", "", gaps, "", "", characters, "", same, ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def files_in(paths: Sequence[Path]) -> Iterator[Path]:
    """The files, and in place of a folder its files that end in .txt, in order."""
    for path in paths:
        yield from sorted(path.glob("*.txt")) if path.is_dir() else [path]


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--rules-only", is_flag=True, help="Learn nothing about spaces from the text.")
@click.option("--wrong", metavar="N", default=0, help="Also print the N most frequent wrong gaps.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def main(paths: tuple[Path, ...], rules_only: bool, wrong: int, as_json: bool) -> None:
    """Measure the round trip of text files, or of the .txt files in folders."""
    scores = []
    for path in files_in(paths):
        try:
            score = measure(path, rules_only)
        except NextwordError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        scores.append(score)
        if as_json:
            row: dict[str, Any] = asdict(score) | score.shares()
            print(json.dumps(row | {"wrong": dict(score.wrong.most_common(wrong))}))
    if not scores:
        raise click.ClickException("none of these texts can be measured")
    if not as_json:
        print(table(scores))
        for score in scores if wrong else ():
            print(f"\n{score.text}:")
            for gap, count in score.wrong.most_common(wrong):
                print(f"  {count:6,}  {gap}")


if __name__ == "__main__":
    main()
