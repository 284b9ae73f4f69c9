"""Which text is measured on, and that it is the one that was held out."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nextword.config import load_config
from nextword.errors import ModelError, TextError
from nextword.evaluation.held_out import held_out_part, read_text
from nextword.runs import RunFolder
from nextword.text.encoded import prepare_text
from nextword.text.tokenizer import Tokenizer


@pytest.fixture
def run(tiny_run: SimpleNamespace, tmp_path: Path) -> RunFolder:
    """A copy of the tiny run whose text is a copy too."""
    copied = RunFolder(Path(shutil.copytree(tiny_run.path, tmp_path / "runs" / "copy")))
    text = load_config(copied.config).text.path
    assert isinstance(text, str)
    own = shutil.copy(text, tmp_path / "own.txt")
    copied.config.write_text(copied.config.read_text().replace(text, str(own)))
    return copied


@pytest.mark.parametrize("part", ["valid", "test"])
def test_a_part_is_what_training_held_out(run: RunFolder, part: str) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    config = load_config(run.config)
    parts = prepare_text(config.text, config.vocabulary).parts
    found = held_out_part(run.model, tokenizer, part)
    assert np.array_equal(found.ids, parts[part].ids)
    assert found.characters == parts[part].characters
    assert 0.05 < len(found.ids) / sum(len(each.ids) for each in parts.values()) < 0.15
    assert part in found.name


def test_a_changed_text_is_refused(run: RunFolder, tmp_path: Path) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    with (tmp_path / "own.txt").open("a") as file:
        file.write("\n\none more paragraph")
    with pytest.raises(ModelError, match=r"own\.txt: has changed since .*copy was trained"):
        held_out_part(run.model, tokenizer, "valid")


def test_a_model_without_its_run_needs_a_text(run: RunFolder, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(run.model, tmp_path / "alone"))
    with pytest.raises(ModelError, match="no run beside it that held text out; name a --text"):
        held_out_part(alone, Tokenizer.load(alone / "tokenizer.json"), "valid")


def test_a_model_of_other_words_is_refused(run: RunFolder) -> None:
    other = Tokenizer(["<unk>", "<eos>", "other"], "words", lowercase=False)
    with pytest.raises(ModelError, match="its words are not those"):
        held_out_part(run.model, other, "valid")


def test_a_part_that_was_not_held_out_is_said(run: RunFolder) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    with pytest.raises(TextError, match="held no extra part out"):
        held_out_part(run.model, tokenizer, "extra")


def test_any_text_can_be_read_by_paragraphs(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the", "war", "."], "words", lowercase=True)
    (tmp_path / "a.txt").write_text("The war.\nThe peace.\n\nWar", encoding="utf-16")
    (tmp_path / "b.txt").write_text("the", encoding="utf-16")
    names = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    found = read_text(tokenizer, names, "utf-16")
    words = [tokenizer.words[i] for i in found.ids]
    assert words == "the war . the <unk> . <eos> war <eos> the <eos>".split()
    assert found.characters == len("The war. The peace.\nWar\nthe\n")
    assert "a.txt" in found.name and "b.txt" in found.name


def test_a_text_of_tokens_is_read_by_lines(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the", "war", "."], "whitespace", lowercase=False)
    (tmp_path / "a.txt").write_text("the war .\nthe war.\n")
    found = read_text(tokenizer, [str(tmp_path / "a.txt")], "utf-8")
    assert found.ids.tolist() == [2, 3, 4, 1, 2, 0, 1]
    assert found.characters == 19


def test_a_text_without_words_is_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the"], "words", lowercase=False)
    (tmp_path / "a.txt").write_text("\n \n\n")
    with pytest.raises(TextError, match="holds no word to measure on"):
        read_text(tokenizer, [str(tmp_path / "a.txt")], "utf-8")
    with pytest.raises(TextError, match="no such file"):
        read_text(tokenizer, [str(tmp_path / "none.txt")], "utf-8")
