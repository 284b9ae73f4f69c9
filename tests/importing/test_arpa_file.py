"""ARPA files as other programs write them: what is read, and what is refused with one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from nextword.errors import ConfigError, ModelError
from nextword.importing import arpa_file
from nextword.importing.arpa_file import read_arpa
from nextword.importing.interpolation import interpolate
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

KENLM = """\
\\data\\
ngram 1=5
ngram 2=4

\\1-grams:
-0.9\t<unk>\t0
0\t<s>\t-0.3
-0.6\t</s>\t0
-0.4\tb\t-0.2
-0.5\ta\t-0.1

\\2-grams:
-0.2\t<s> a
-0.3\ta b
-0.7\ta </s>
-0.4\tb </s>

\\end\\
"""
SRILM = """\
some words about the model

\\data\\
ngram  1=4
ngram  2=3
ngram  3=1


\\1-grams:
-0.5228787\t</s>
-99\t<s>\t-0.2218488
-0.39794\ta\t-0.1760913
-0.5228787\tb

\\2-grams:
-0.09691\t<s> a\t-0.1
-0.30103\ta b
-0.4\tb </s>

\\3-grams:
-0.2\t<s> a b

\\end\\
"""


def written(path: Path, text: str | bytes) -> Path:
    file = path / "model.arpa"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_kenlms_file_is_read(tmp_path: Path) -> None:
    file = read_arpa(written(tmp_path, KENLM))
    assert file.words == ["<unk>", "<eos>", "b", "a"]
    assert file.log_probabilities.tolist() == [-0.9, -0.6, -0.4, -0.5]
    assert file.log_backoffs.tolist() == [0, -0.3, -0.2, -0.1]
    (table,) = file.tables
    assert table.words.tolist() == [[END_ID, 3], [3, 2], [3, END_ID], [2, END_ID]]
    assert table.log_probabilities.tolist() == [-0.2, -0.3, -0.7, -0.4]
    assert table.lines.tolist() == [13, 14, 15, 16]
    assert file.notes == []


def test_srilms_file_is_read(tmp_path: Path) -> None:
    file = read_arpa(written(tmp_path, SRILM))
    assert file.words == ["<unk>", "<eos>", "a", "b"]
    assert file.log_probabilities[0] == -np.inf
    assert file.log_backoffs.tolist() == [0, -0.2218488, -0.1760913, 0]
    assert [len(table.lines) for table in file.tables] == [3, 1]
    assert file.notes == ["the file lacks <unk>: unknown words get no probability"]


def test_srilms_model_is_the_files_within_its_rounding(tmp_path: Path) -> None:
    file = read_arpa(written(tmp_path, SRILM))
    tree = interpolate(file).tree
    model = NgramModel.from_arrays(tree.arrays(), len(file.words), len(tree.sizes), verify=True)
    a, b = file.words.index("a"), file.words.index("b")
    rows = model.probabilities(np.array([[END_ID, END_ID], [END_ID, a], [a, b]]))
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
    assert rows[0, a] == pytest.approx(10**-0.09691, rel=1e-3)
    assert rows[1, b] == pytest.approx(10**-0.2, rel=1e-3)
    assert rows[:, 0].tolist() == [0, 0, 0]


VARIANTS = {
    "CRLF": KENLM.replace("\n", "\r\n"),
    "spaces": KENLM.replace("\t", "  "),
    "no blank lines": KENLM.replace("\n\n", "\n"),
    "blank lines": KENLM.replace("\n", "\n \n"),
    "a byte order mark": "\ufeff" + KENLM,
    "text after the end": KENLM + "and more\n",
    "no last line end": KENLM.rstrip("\n"),
    "weights of the longest": KENLM.replace("a b\n", "a b\t0\n"),
    "no weights of zero": KENLM.replace("\t0\n", "\n"),
    "capital unknown": KENLM.replace("<unk>", "<UNK>"),
    "minus infinity": KENLM.replace("0\t<s>", "-inf\t<s>"),
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_what_differs_in_form_alone_is_the_same(text: str, tmp_path: Path) -> None:
    expected = read_arpa(written(tmp_path, KENLM))
    file = read_arpa(written(tmp_path, text))
    assert (file.words, file.notes) == (expected.words, [])
    np.testing.assert_array_equal(file.log_probabilities, expected.log_probabilities)
    np.testing.assert_array_equal(file.log_backoffs, expected.log_backoffs)
    np.testing.assert_array_equal(file.tables[0].words, expected.tables[0].words)


def test_a_compressed_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    file = read_arpa(written(tmp_path, gzip.compress(KENLM.encode())))
    assert file.words == ["<unk>", "<eos>", "b", "a"]


def test_wrong_counts_are_noted_and_the_ngrams_count(tmp_path: Path) -> None:
    text = KENLM.replace("ngram 2=4", "ngram 2=7\nngram 3=2")
    file = read_arpa(written(tmp_path, text))
    assert len(file.tables[0].lines) == 4
    assert file.notes == [
        "2-grams: the header says 7, there are 4",
        "3-grams: the header says 2, there are 0",
    ]


def test_ngrams_that_no_text_has_are_left_out_and_noted(tmp_path: Path) -> None:
    text = KENLM.replace("-0.3\ta b", "-0.3\ta b\n-99\ta <s>\n-1\t</s> a").replace("2=4", "2=6")
    file = read_arpa(written(tmp_path, text))
    assert file.tables[0].lines.tolist() == [13, 14, 17, 18]
    assert len(file.notes) == 1 and file.notes[0].startswith("left out 2 n-grams")


def test_one_word_may_be_both_ends_of_a_line(tmp_path: Path) -> None:
    text = KENLM.replace("0\t<s>\t-0.3\n", "").replace("<s> a", "</s> a").replace("1=5", "1=4")
    file = read_arpa(written(tmp_path, text.replace("</s>\t0", "</s>\t-0.3")))
    assert file.tables[0].words.tolist()[0] == [END_ID, 3]
    assert (file.log_backoffs[END_ID], file.notes) == (-0.3, [])


def test_a_file_without_ends_of_lines_is_read(tmp_path: Path) -> None:
    text = "\\data\\\nngram 1=2\n\\1-grams:\n-0.3 a\n-0.3 <unk>\n\\end\\\n"
    file = read_arpa(written(tmp_path, text))
    assert file.log_probabilities[END_ID] == -np.inf
    assert file.notes == ["the file lacks </s>: ends of lines get no probability"]


NBSP = "\\data\\\nngram 1=3\n\\1-grams:\n-1 <unk>\n-1 </s>\n-0.1 naïve\xa0\n\\end\\\n"
"""A word with a character that is a space to Unicode, but not in the format."""


def test_words_are_read_in_their_encoding(tmp_path: Path) -> None:
    path = written(tmp_path, NBSP.encode("latin-1"))
    assert read_arpa(path, "latin-1").words[-1] == "naïve\xa0"
    message = r"line 6: the word 'na.*' is not utf-8; name another --encoding"
    with pytest.raises(ModelError, match=message):
        read_arpa(path)


@pytest.mark.parametrize("encoding", ["utf-16", "no-such", "cp037"])
def test_an_encoding_that_cannot_be_is_refused(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=encoding):
        read_arpa(written(tmp_path, KENLM), encoding)


MALFORMED = {
    "no number": (KENLM.replace("-0.4\tb </s>", "x\tb </s>"), "line 16: .* is no number"),
    "no weight": (KENLM.replace("b\t-0.2", "b\tx"), "line 9: .* is no number"),
    "NaN": (KENLM.replace("-0.3\ta b", "nan\ta b"), "line 14: .* out of range"),
    "above one": (KENLM.replace("-0.3\ta b", "0.3\ta b"), "line 14: .* out of range"),
    "an endless weight": (KENLM.replace("b\t-0.2", "b\tinf"), "line 9: .* out of range"),
    "too few fields": (
        KENLM.replace("-0.3\ta b", "-0.3\ta"),
        "line 14: a probability, 2 words and perhaps a weight are expected, not 2 fields",
    ),
    "too many fields": (KENLM.replace("-0.3\ta b", "-0.3\ta b a -1"), "line 14: .* not 5 fields"),
    "a word of two": (KENLM.replace("-0.5\ta", "-0.5\ta b c"), "line 10: .*, 1 word and .* not 5"),
    "a word twice": (KENLM.replace("-0.4\tb\t", "-0.4\ta\t"), "line 10: the word 'a' .* twice"),
    "both unknown": (KENLM.replace("-0.4\tb\t", "-1\t<UNK>\t"), "line 9: .*'<UNK>' is there twice"),
    "both ends": (KENLM.replace("-0.4\tb\t", "-1\t<eos>\t"), "line 9: .*'<eos>' is there twice"),
    "a strange word": (
        KENLM.replace("\ta b", "\tc b"),
        "line 14: the word 'c' is not among the 1-",
    ),
    "an ngram twice": (KENLM.replace("\ta </s>", "\ta b"), "line 15: the 2-gram is there twice"),
    "no context": (
        SRILM.replace("-0.09691\t<s> a\t-0.1\n", ""),
        r"line 20: its first 2 words are no 2-gram",
    ),
    "sections in disorder": (
        SRILM.replace("\\2-grams", "\\3-grams", 1),
        r"line 15: is '\\3-grams:' where '\\2-grams:' or '\\end\\' is expected",
    ),
    "no first section": (KENLM.replace("\\1-", "\\2-"), r"line 5: is .* where '\\1-grams:' is"),
    "a strange header": (KENLM.replace("ngram 2=4", "ngrams"), "line 3: is 'ngrams', not 'ngram N"),
    "cut off": (KENLM[: KENLM.index("\\end")], r"is incomplete: its last line is not \\end\\"),
    "cut off in the header": ("\\data\\\nngram 1=5\n", "is incomplete"),
    "a long line": (KENLM.replace("a b", "a" * 70_000), "line 14 is too long; this is no ARPA"),
    "a long first line": ("x" * 70_000, "line 1 is too long; this is no ARPA"),
    "prose": ("Once upon a time\n" * 5, r"is no ARPA file, which begins with \\data\\"),
    "much prose": ("Once upon a time\n" * 2000, r"is no ARPA file, which begins with \\data\\"),
    "nothing": ("", "is no ARPA file"),
    "no probability": (
        "\\data\\\nngram 1=1\n\\1-grams:\n-inf a\n\\end\\\n",
        "gives no word a probability",
    ),
    "no words": ("\\data\\\nngram 1=0\n\\1-grams:\n\\end\\\n", "gives no word a probability"),
    "a damaged archive": (gzip.compress(KENLM.encode())[:-20], "is damaged or incomplete"),
    "ten words": (
        "\\data\\\n\\1-grams:\n0 a\n"
        + "".join(f"\\{n}-grams:\n" for n in range(2, 11))
        + "\\end\\\n",
        "line 12: n-grams of more than 9 words",
    ),
}


@pytest.mark.parametrize(("text", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_one_line_that_names_the_place(
    text: str | bytes, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ModelError, match=message) as caught:
        interpolate(read_arpa(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.arpa", ""])
def test_a_file_that_cannot_be_opened_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be read \((No such|Is a dir)"):
        read_arpa(tmp_path / name)


def test_progress_is_in_bytes_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arpa_file, "_LINES_BETWEEN_REPORTS", 1)
    path, steps = written(tmp_path, KENLM), list[tuple[int, int]]()
    read_arpa(path, progress=lambda done, total: steps.append((done, total)))
    assert {total for _, total in steps} == {len(KENLM)}
    assert steps == sorted(steps) and steps[-1][0] <= len(KENLM)
