"""Makes the War and Peace benchmark streams from the plain book: train, valid and test.

    python scripts/benchmark_corpus.py war-and-peace.txt OUT

Chapters are the lines ``CHAPTER <roman number>``. Counting chapters from 0, those with number
mod 20 = 5 are valid, those with number mod 20 = 15 are test, the rest are train. Each line is a
paragraph, its tokens separated by one space; words seen only once in train become ``<unk>``.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

CHAPTER = re.compile(r"^CHAPTER [IVXLC]+\s*$", re.MULTILINE)
TOKEN = re.compile(r"[0-9]+|[A-Za-z]+(?:'[A-Za-z]+)*|--|[^\w\s]|\w", re.ASCII)
PARTS = {5: "valid", 15: "test"}


def main(book: Path, out: Path) -> None:
    """Write ``train.txt``, ``valid.txt`` and ``test.txt`` into ``out``."""
    chapters = CHAPTER.split(book.read_text(encoding="utf-8"))[1:]
    parts: dict[str, list[list[str]]] = {"train": [], "valid": [], "test": []}
    for number, chapter in enumerate(chapters):
        for paragraph in re.split(r"\n\s*\n", chapter):
            tokens = TOKEN.findall(paragraph)
            if tokens:
                parts[PARTS.get(number % 20, "train")].append(tokens)
    counts = Counter(token for tokens in parts["train"] for token in tokens)
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in parts.items():
        words = [[word if counts[word] > 1 else "<unk>" for word in line] for line in lines]
        text = "".join(" ".join(line) + "\n" for line in words)
        (out / f"{name}.txt").write_text(text, encoding="utf-8")
        print(f"{name}: {sum(map(len, lines)):,} tokens in {len(lines):,} lines")
    print(f"{len(chapters)} chapters")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {Path(sys.argv[0]).name} BOOK OUT")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
