from __future__ import annotations

import gc
import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from nextword.config.schema import Holdout, TextConfig, VocabularyConfig
from nextword.errors import ConfigError, TextError
from nextword.text.dataset import EncodedText
from nextword.text.prepare import prepare_text

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
needs_corpora = pytest.mark.skipif(not CORPORA.exists(), reason="the shared corpora are not here")
ALL_WORDS = VocabularyConfig(min_count=1)


def write_text(folder: Path, paragraphs: int = 100) -> Path:
    file = folder / "text.txt"
    file.write_text(
        "\n\n".join(f"The cat number {n}\nsat on the mat." for n in range(paragraphs)),
        encoding="utf-8",
    )
    return file


def decoded(text: EncodedText, part: str) -> list[str]:
    paragraphs = text.tokenizer.decode(text.parts[part].ids.tolist()).split("\n\n")
    assert paragraphs.pop() == ""
    return paragraphs


def test_parts_hold_the_text_and_nothing_twice(tmp_path: Path) -> None:
    file = write_text(tmp_path)
    text = prepare_text(TextConfig(path=str(file)), ALL_WORDS, tmp_path / "cache")
    assert set(text.parts) == {"train", "valid", "test"}
    assert sum(len(part.ids) for part in text.parts.values()) == 100 * 10
    assert sum(part.words for part in text.parts.values()) == 100 * 9
    # One line end of the file is a space of the paragraph; the blank line is its end.
    assert sum(part.characters for part in text.parts.values()) == file.stat().st_size - 99 + 1
    assert text.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert decoded(text, "train")[0] == "The cat number 0 sat on the mat."
    assert text.source == str(file)
    assert text.held_out.startswith(
        "held out: 6.0 % for validation (3 blocks of about 20 words), 6"
    )


def test_the_vocabulary_is_that_of_the_training_part(tmp_path: Path) -> None:
    text = prepare_text(TextConfig(path=str(write_text(tmp_path))), ALL_WORDS, tmp_path / "cache")
    train, valid = text.parts["train"], text.parts["valid"]
    assert (np.bincount(train.ids, minlength=len(text.vocabulary)) == text.vocabulary.counts).all()
    assert train.unknown == 0
    paragraphs = len(decoded(text, "valid"))
    assert valid.unknown == paragraphs  # each has a number of its own
    assert "<unk>" in decoded(text, "valid")[0]
    assert text.vocabulary.words == tuple(text.tokenizer.words)
    rare = prepare_text(TextConfig(path=str(write_text(tmp_path))), VocabularyConfig(), tmp_path)
    assert rare.parts["train"].unknown == rare.vocabulary.counts[0] == len(decoded(text, "train"))


def test_held_out_parts_keep_their_unknown_words_and_spaces(tmp_path: Path) -> None:
    text = prepare_text(TextConfig(path=str(write_text(tmp_path))), ALL_WORDS, tmp_path / "cache")
    assert text.parts["train"].spaced is None
    for name in ("valid", "test"):
        part = text.parts[name]
        surface = part.tokenized(name)
        # each paragraph has a number that no other has: The cat number 17 sat on the mat.
        assert len(surface.unknown_words) == part.unknown == len(decoded(text, name))
        whole = (tmp_path / "text.txt").read_text(encoding="utf-8")
        where = [whole.index(f"number {number}\n") for number in surface.unknown_words]
        assert where == sorted(where)
        wanted = [True] * 7 + [False, False, False]
        assert surface.spaced.tolist() == wanted * (len(part.ids) // 10)


def test_a_literal_unknown_word_is_kept_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a b <unk>\n", encoding="utf-8")
    (tmp_path / "valid.txt").write_text(" a <unk> c \n\nd\n", encoding="utf-8")
    config = TextConfig(
        train=str(tmp_path / "train.txt"),
        valid=str(tmp_path / "valid.txt"),
        tokenizer="whitespace",
    )
    part = prepare_text(config, ALL_WORDS, tmp_path / "cache").parts["valid"]
    assert part.ids.tolist() == [2, 0, 0, 1, 1, 0, 1]
    assert part.tokenized("valid").unknown_words == ["<unk>", "c", "d"]
    assert part.tokenized("valid").spaced.tolist() == [True, True, True, False, False, False, False]


def test_files_that_are_split_already(tmp_path: Path) -> None:
    for part, content in (("train", "a b\n\na c <unk>\n"), ("valid", "b d\n"), ("test", "a\n")):
        (tmp_path / f"{part}.txt").write_text(content, encoding="utf-8")
    config = TextConfig(
        train=str(tmp_path / "train.txt"),
        valid=str(tmp_path / "valid.txt"),
        test=str(tmp_path / "test.txt"),
        tokenizer="whitespace",
    )
    text = prepare_text(config, ALL_WORDS, tmp_path / "cache")
    assert text.vocabulary.words == ("<unk>", "<eos>", "a", "b", "c")
    assert text.parts["train"].ids.tolist() == [2, 3, 1, 1, 2, 4, 0, 1]
    assert text.parts["valid"].ids.tolist() == [3, 0, 1]
    assert text.parts["test"].ids.tolist() == [2, 1]
    assert text.parts["train"].unknown == 1
    assert text.parts["train"].characters == (tmp_path / "train.txt").stat().st_size
    assert text.held_out == "held out: the files given for validation and test"


def test_nothing_held_out(tmp_path: Path) -> None:
    config = TextConfig(path=str(write_text(tmp_path, 1)), holdout=Holdout(valid=0, test=0))
    text = prepare_text(config, ALL_WORDS, tmp_path / "cache")
    assert set(text.parts) == {"train"}
    assert text.held_out == "held out: nothing"


def test_large_vocabularies_need_wider_ids(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("\n".join(f"w{n}" for n in range(70_000)), encoding="utf-8")
    config = TextConfig(path=str(file), tokenizer="whitespace", holdout=Holdout(valid=0, test=0))
    text = prepare_text(config, VocabularyConfig(max_size=80_000, min_count=1), tmp_path / "cache")
    assert text.parts["train"].ids.dtype == np.uint32
    assert text.parts["train"].ids.max() == 70_001
    narrow = prepare_text(config, VocabularyConfig(max_size=65_536, min_count=1), tmp_path)
    assert narrow.parts["train"].ids.dtype == np.uint16
    assert narrow.parts["train"].unknown == 70_002 - 65_536


def test_the_cache_is_used_and_knows_what_changes_the_result(tmp_path: Path) -> None:
    file = write_text(tmp_path)
    lines: list[str] = []

    def prepare(**changes: object) -> EncodedText:
        settings = VocabularyConfig(min_count=int(str(changes.pop("min_count", 1))))
        config = TextConfig.model_validate({"path": str(file), **changes})
        return prepare_text(config, settings, tmp_path / "cache", lines.append)

    first = prepare()
    notes = ["paragraphs: separated by blank lines"]
    notes += ["it begins: The cat number 0 sat on the mat. The cat ..."]
    assert lines == [f"preparing {file}", *notes]
    again = prepare()
    assert lines[3:] == notes  # those of a text that is in the cache already
    assert again.notes == first.notes == tuple(notes)
    assert again.sha256 == first.sha256
    assert again.held_out == first.held_out
    for name, part in first.parts.items():
        assert (part.ids == again.parts[name].ids).all()
        assert part.characters == again.parts[name].characters
        assert isinstance(again.parts[name].ids, np.memmap)
    for change in (
        {"lowercase": True},
        {"paragraphs": "lines"},
        {"tokenizer": "whitespace"},
        {"holdout": {"valid": 0.1}},
        {"min_count": 2},
    ):
        before = len(lines)
        prepare(**change)
        assert lines[before] == f"preparing {file}"
    file.write_text(file.read_text(encoding="utf-8") + " More", encoding="utf-8")
    prepare()
    assert sum(line.startswith("preparing") for line in lines) == 7
    assert len(list((tmp_path / "cache").iterdir())) == 7  # no temporary folder stays


@pytest.mark.parametrize(
    "name",
    [
        "meta.json",
        "tokenizer.json",
        "counts.npy",
        "train.npy",
        "valid.unknown.json",
        "test.spaced.npy",
    ],
)
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_cache_is_rebuilt(tmp_path: Path, name: str, damage: str) -> None:
    config = TextConfig(path=str(write_text(tmp_path)))
    first = prepare_text(config, ALL_WORDS, tmp_path / "cache")
    expected = first.parts["train"].ids.tolist()
    file = first.folder / name
    del first
    gc.collect()
    data = file.read_bytes()
    if damage == "remove":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    else:
        file.write_bytes(data[:-20] + b"\xff" + data[-19:])
    lines: list[str] = []
    again = prepare_text(config, ALL_WORDS, tmp_path / "cache", lines.append)
    assert again.parts["train"].ids.tolist() == expected
    assert "damaged" in lines[0] and lines[1].startswith("preparing")
    prepare_text(config, ALL_WORDS, tmp_path / "cache", lines.append)
    assert sum("damaged" in line or line.startswith("preparing") for line in lines) == 2


def test_without_a_cache_folder_the_text_lives_as_long_as_the_object(tmp_path: Path) -> None:
    file = write_text(tmp_path)
    lines: list[str] = []
    text = prepare_text(TextConfig(path=str(file)), ALL_WORDS, file / "cache", lines.append)
    assert "cannot be written" in lines[0]
    folder = text.folder
    assert folder.exists()
    assert decoded(text, "train")[0] == "The cat number 0 sat on the mat."
    del text
    gc.collect()
    assert not folder.parent.exists()


def test_the_environment_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TextConfig(path=str(write_text(tmp_path)))
    monkeypatch.setenv("NEXTWORD_CACHE_DIR", str(tmp_path / "own"))
    assert prepare_text(config, ALL_WORDS).folder.parent == tmp_path / "own"
    monkeypatch.delenv("NEXTWORD_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert prepare_text(config, ALL_WORDS).folder.parent == tmp_path / "shared" / "nextword"


def test_too_little_text(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    nothing = Holdout(valid=0, test=0)
    for content, message in ((" \n\n ", "no words"), ("one paragraph", "text.holdout")):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(TextError, match=message):
            prepare_text(TextConfig(path=str(file)), ALL_WORDS, tmp_path / "cache")
    file.write_text("\n\n\nw\n", encoding="utf-8")
    blank = TextConfig(path=str(file), tokenizer="whitespace", holdout=Holdout(valid=0.9, test=0))
    with pytest.raises(TextError, match="fewer than 2 words"):
        prepare_text(blank, ALL_WORDS, tmp_path / "cache")
    file.write_text("\n\n", encoding="utf-8")
    blank = TextConfig(path=str(file), tokenizer="whitespace", holdout=nothing)
    with pytest.raises(TextError, match="no words"):
        prepare_text(blank, ALL_WORDS, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    with pytest.raises(ConfigError, match="text.path"):
        prepare_text(TextConfig(), ALL_WORDS, tmp_path / "cache")


@pytest.mark.parametrize(
    ("settings", "advised", "not_advised"),
    [
        ({}, "text.paragraphs=lines or indents", "whitespace"),
        ({"paragraphs": "blank_lines"}, "text.paragraphs=lines or indents", "blank_lines"),
        ({"paragraphs": "indents"}, "text.paragraphs=lines)", "indents"),
        ({"paragraphs": "lines"}, "provide more text", "text.paragraphs"),
        ({"tokenizer": "whitespace"}, "1 line, too few", "whitespace"),
    ],
)
def test_advice_never_names_what_is_set(
    tmp_path: Path, settings: dict[str, str], advised: str, not_advised: str
) -> None:
    file = tmp_path / "text.txt"
    file.write_text("only a few words in one line", encoding="utf-8")
    config = TextConfig.model_validate({"path": str(file), **settings})
    with pytest.raises(TextError) as error:
        prepare_text(config, ALL_WORDS, tmp_path / "cache")
    assert advised in str(error.value) and not_advised not in str(error.value)


def test_parts_that_are_too_large_are_said(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("\n\n".join(["word " * 50] * 3), encoding="utf-8")
    lines: list[str] = []
    prepare_text(TextConfig(path=str(file)), ALL_WORDS, tmp_path / "cache", lines.append)
    warnings = [line for line in lines if line.startswith("warning")]
    assert len(warnings) == 2
    assert "33.3% of the text is held out for validation instead of 5.0%" in warnings[0]
    assert "only 3 paragraphs" in warnings[0] and "text.paragraphs=lines" in warnings[0]
    lines.clear()
    prepare_text(TextConfig(path=str(write_text(tmp_path))), ALL_WORDS, tmp_path, lines.append)
    assert not any("warning" in line for line in lines)


def test_the_first_words_are_shown_on_one_safe_line(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    start = "*** START OF THE PROJECT GUTENBERG EBOOK X ***"
    file.write_text(f"Title\n{start}\n\nIt was\u202e {'very ' * 9}{'late' * 50}\n\n", "utf-8")
    config = TextConfig(path=str(file), holdout=Holdout(valid=0, test=0))
    text = prepare_text(config, ALL_WORDS, tmp_path / "cache")
    (line,) = [note for note in text.notes if note.startswith("it begins")]
    assert line == f"it begins: It was {'very ' * 8}..."


@pytest.mark.parametrize("packed", [False, True])
def test_progress_is_told_from_the_first_byte_to_the_last(tmp_path: Path, packed: bool) -> None:
    file = write_text(tmp_path, 3000)
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    calls: list[tuple[str, int, int]] = []
    config = TextConfig(path=str(file))
    for _ in range(2):
        prepare_text(
            config, ALL_WORDS, tmp_path / "cache", progress=lambda *call: calls.append(call)
        )
    size = file.stat().st_size
    assert list(dict.fromkeys(call[0] for call in calls)) == [
        "checking the text",
        "preparing the text",
    ]
    for label, passes in (("checking the text", 1), ("preparing the text", 3)):
        done = [call[1] for call in calls if call[0] == label]
        assert {call[2] for call in calls if call[0] == label} == {passes * size}
        assert done[0] == 0 and max(done) == passes * size
    # a text in the cache is only checked
    assert calls[-1] == ("checking the text", size, size)


@needs_corpora
@pytest.mark.parametrize(
    ("name", "train", "valid", "types"),
    [("ptb", 929_589, 73_760, 10_000), ("war-and-peace-tokens", 612_640, 32_111, 11_993)],
)
def test_the_benchmark_streams(
    tmp_path: Path, name: str, train: int, valid: int, types: int
) -> None:
    config = TextConfig(
        train=str(CORPORA / name / "train.txt"),
        valid=str(CORPORA / name / "valid.txt"),
        tokenizer="whitespace",
    )
    text = prepare_text(config, ALL_WORDS, tmp_path)
    assert len(text.parts["train"].ids) == train
    assert len(text.parts["valid"].ids) == valid
    assert len(text.vocabulary) == types
    assert text.vocabulary.counts.sum() == train


@needs_corpora
def test_a_novel_is_held_out_in_even_blocks(tmp_path: Path) -> None:
    config = TextConfig(path=str(CORPORA / "war-and-peace.txt"))
    text = prepare_text(config, VocabularyConfig(), tmp_path)
    total = sum(len(part.ids) for part in text.parts.values())
    for part in ("valid", "test"):
        assert len(text.parts[part].ids) / total == pytest.approx(0.05, abs=0.003)
