"""Which text is measured on, and that it is the one that was held out."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nextword.config.load import load_config
from nextword.config.schema import TextConfig, VocabularyConfig
from nextword.errors import ConfigError, ModelError, TextError
from nextword.evaluation import held_out
from nextword.evaluation.held_out import held_out_part, read_text, trained_on
from nextword.storage.run_folder import RunFolder
from nextword.text.prepare import prepare_text
from nextword.text.tokenized import TokenizedText
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
    assert found.unknown_words == []
    # the tiny text has a space behind every word but the last of a paragraph and those before a dot
    ends, dots = found.ids == tokenizer.end_id, found.ids == tokenizer.index["."]
    assert (found.spaced == ~(ends | np.roll(ends, -1) | np.roll(dots, -1))).all()
    assert 0.05 < len(found.ids) / sum(len(each.ids) for each in parts.values()) < 0.15
    assert part in found.name


def test_the_environment_changes_nothing_of_what_was_trained(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    before = held_out_part(run.model, tokenizer, "valid")
    monkeypatch.setenv("NEXTWORD_TEXT_LOWERCASE", "true")
    monkeypatch.setenv("NEXTWORD_VOCABULARY_MAX_SIZE", "5")
    assert np.array_equal(held_out_part(run.model, tokenizer, "valid").ids, before.ids)
    assert not run.read_config().text.lowercase


def test_a_changed_text_is_refused(run: RunFolder, tmp_path: Path) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    with (tmp_path / "own.txt").open("a") as file:
        file.write("\n\none more paragraph")
    with pytest.raises(ModelError, match=r"own\.txt: has changed since .*copy was trained"):
        held_out_part(run.model, tokenizer, "valid")


def test_a_text_that_is_gone_is_said_to_be_the_runs(run: RunFolder, tmp_path: Path) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    (tmp_path / "own.txt").unlink()
    with pytest.raises(ModelError, match=r"own\.txt: no such file.*copy was trained on it.*--text"):
        held_out_part(run.model, tokenizer, "valid")


def test_a_text_that_came_through_a_pipe_is_not_asked_for_again(run: RunFolder) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    own = run.read_config().text.path
    assert isinstance(own, str)
    run.config.write_text(run.config.read_text().replace(own, "'-'"))
    with pytest.raises(ModelError, match="was read from standard input; give one with --text"):
        held_out_part(run.model, tokenizer, "valid")


def test_a_model_without_its_run_needs_a_text(run: RunFolder, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(run.model, tmp_path / "alone"))
    with pytest.raises(
        ModelError, match="is not in a run folder, so no text was held out; give one with --text"
    ):
        held_out_part(alone, Tokenizer.load(alone / "tokenizer.json"), "valid")


def test_a_model_of_other_words_is_refused(run: RunFolder) -> None:
    other = Tokenizer(["<unk>", "<eos>", "other"], "words", lowercase=False)
    with pytest.raises(ModelError, match="its words are not those"):
        held_out_part(run.model, other, "valid")


def test_a_part_that_was_not_held_out_is_said(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    whole = held_out.text_of_run(run.model, tokenizer)
    rest = {name: part for name, part in whole.parts.items() if name != "test"}
    monkeypatch.setattr(held_out, "text_of_run", lambda *given: replace(whole, parts=rest))
    with pytest.raises(TextError, match="has no test part"):
        held_out_part(run.model, tokenizer, "test")


def test_only_held_out_parts_can_be_asked_for(run: RunFolder) -> None:
    tokenizer = Tokenizer.load(run.model / "tokenizer.json")
    with pytest.raises(ConfigError, match="split: 'train' is not one of valid, test"):
        held_out_part(run.model, tokenizer, "train")


def test_any_text_can_be_read_by_paragraphs(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the", "war", "."], "words", lowercase=True)
    (tmp_path / "a.txt").write_text("The war.\nThe peace.\n\nWar", encoding="utf-16")
    (tmp_path / "b.txt").write_text("the", encoding="utf-16")
    names = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    found = read_text(tokenizer, names, "utf-16")
    words = [tokenizer.words[i] for i in found.ids]
    assert words == "the war . the <unk> . <eos> war <eos> the <eos>".split()
    assert found.characters == len("The war. The peace.\nWar\nthe\n")
    assert found.unknown_words == ["peace"]
    assert [w for w, space in zip(words, found.spaced, strict=True) if space] == ["the", ".", "the"]
    assert "a.txt" in found.name and "b.txt" in found.name


def test_a_text_of_tokens_is_read_by_lines(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the", "war", "."], "whitespace", lowercase=False)
    (tmp_path / "a.txt").write_text("the war .\nthe war.\n<unk> \n")
    found = read_text(tokenizer, [str(tmp_path / "a.txt")], "utf-8")
    assert found.ids.tolist() == [2, 3, 4, 1, 2, 0, 1, 0, 1]
    assert found.characters == 26
    assert found.unknown_words == ["war.", "<unk>"]
    assert found.spaced.tolist() == [True, True, False, False, True, False, False, True, False]


def test_a_part_is_read_like_any_text(tmp_path: Path) -> None:
    """What was kept in the cache, against the same text read on its own."""
    train = 'He said: "Go to the well."\n\nThe well-known man, he said.\n'
    valid = '"Come, İbrahim," he  said;\nthe\u00a0man came.\n\nNo\u0301 -- well!\n'
    for name, content in (("train", train), ("valid", valid)):
        (tmp_path / f"{name}.txt").write_text(content, encoding="utf-8")
    paths = {name: str(tmp_path / f"{name}.txt") for name in ("train", "valid")}
    for lowercase in (False, True):
        text = TextConfig(lowercase=lowercase, train=paths["train"], valid=paths["valid"])
        encoded = prepare_text(text, VocabularyConfig(min_count=1), tmp_path / "cache")
        kept = encoded.parts["valid"].tokenized("valid")
        read = read_text(encoded.tokenizer, [paths["valid"]], "utf-8")
        assert kept.ids.tolist() == read.ids.tolist()
        assert kept.unknown_words == read.unknown_words and len(kept.unknown_words) > 5
        assert kept.spaced.tolist() == read.spaced.tolist()
        assert kept.characters == read.characters
        with pytest.raises(ValueError, match="not held out"):
            encoded.parts["train"].tokenized("train")


def test_words_and_spaces_must_be_those_of_the_ids() -> None:
    ids, spaced = np.array([2, 0, 1]), np.array([True, False, False])
    for words, spaces in ([], spaced), (["a", "b"], spaced), (["a"], spaced[:2]):
        with pytest.raises(ValueError, match="not those of the ids"):
            TokenizedText(ids, spaces, words, 9)


def test_a_text_without_words_is_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the"], "words", lowercase=False)
    (tmp_path / "a.txt").write_text("\n \n\n")
    with pytest.raises(TextError, match="holds no word to measure on"):
        read_text(tokenizer, [str(tmp_path / "a.txt")], "utf-8")
    with pytest.raises(TextError, match="no such file"):
        read_text(tokenizer, [str(tmp_path / "none.txt")], "utf-8")


def test_words_are_spelled_whether_known_or_not(tmp_path: Path) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the", "cat"], "words", lowercase=False)
    (tmp_path / "a.txt").write_text("the zebra and the cat\n\nthe end\n")
    text = read_text(tokenizer, [str(tmp_path / "a.txt")], "utf-8")
    words = "the zebra and the cat <eos> the end <eos>".split()
    assert text.words(tokenizer.words) == words


def test_a_file_of_a_folder_that_was_learned_was_learned(run: RunFolder, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    (folder / "more").mkdir(parents=True)
    shutil.move(tmp_path / "own.txt", folder / "more" / "one.txt")
    (folder / "other.txt").write_text("the small cat .\n")
    (tmp_path / "new.txt").write_text("the small dog .\n")
    own = run.config.read_text().replace(str(tmp_path / "own.txt"), str(folder))
    run.config.write_text(own)
    for text in ("books/more/one.txt", "books", "books/more"):
        assert trained_on(run.model, [str(tmp_path / text)])
    assert not trained_on(run.model, [str(tmp_path / "new.txt")])
    shutil.rmtree(folder)
    assert not trained_on(run.model, [str(tmp_path / "new.txt")])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_that_a_run_trained_on_is_not_waited_for(run: RunFolder, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    own = run.config.read_text().replace(str(tmp_path / "own.txt"), str(pipe))
    run.config.write_text(own)
    (tmp_path / "new.txt").write_text("the small dog .\n")
    assert not trained_on(run.model, [str(tmp_path / "new.txt")])
