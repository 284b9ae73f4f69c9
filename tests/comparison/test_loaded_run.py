"""Which runs are compared, on which text, and that it is the same for all."""

from pathlib import Path

import pytest

from nextword.comparison.comparison import compare_loaded
from nextword.comparison.loaded_run import (
    common_prefix,
    load_runs,
    same_vocabulary,
    same_words,
)
from nextword.errors import ModelError, TextError


@pytest.fixture(autouse=True)
def home(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(kinds)
    return kinds


def test_runs_are_called_by_their_folders_and_counted_once(kinds: Path, tmp_path: Path) -> None:
    (tmp_path / "rnn").symlink_to(kinds / "runs" / "fewer")
    found = load_runs(
        [Path("runs/rnn"), Path("mixed"), Path("runs/rnn/model"), tmp_path / "rnn"], "test"
    )
    assert [each.name for each in found] == ["runs/rnn", "mixed", f"{tmp_path.name}/rnn"]
    first, mixed, _ = found
    assert [each.folder_name for each in found] == ["rnn", "mixed", "rnn"]
    assert first.config is not None and first.config.model.kind == "rnn"
    assert first.log.result is not None and first.part.name.startswith("test part of ")
    assert mixed.loaded.mixture.ngram is not None


def test_several_may_be_compared_without_what_is_mixed_with_them() -> None:
    several = load_runs([Path("mixed"), Path("rnn")], alone=True)
    assert several[0].loaded.mixture.ngram is None
    for paths in ([Path("mixed")], [Path("mixed"), Path("runs/mixed")]):
        (single,) = load_runs(paths, alone=True)
        assert single.loaded.mixture.ngram is not None


def test_a_run_has_a_name_from_within(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kinds / "runs" / "rnn")
    (within,) = load_runs([Path(".")])
    assert within.name == within.folder_name == "rnn" and within.config is not None
    both = load_runs([Path("."), Path("../mixed")])
    assert [each.name for each in both] == ["rnn", "mixed"]


@pytest.mark.parametrize(
    ("names", "shared"),
    [
        (["book-rnn-tanh", "book-rnn-relu", "book-lstm"], "book-"),
        (["book-rnn-tanh", "book-rnn-relu"], "book-rnn-"),
        (["book", "book-2"], ""),
        (["book-", "book-2"], ""),
        (["books", "booking"], ""),
        (["book-lstm"], ""),
    ],
)
def test_what_all_names_begin_with_is_left_away(names: list[str], shared: str) -> None:
    assert common_prefix(names) == shared


def test_a_model_without_its_run_needs_a_text(kinds: Path, tmp_path: Path, tiny_text: Path) -> None:
    (tmp_path / "alone").symlink_to(kinds / "runs" / "rnn" / "model")
    with pytest.raises(ModelError, match="give one with --text"):
        load_runs([tmp_path / "alone"])
    (found,) = load_runs([tmp_path / "alone"], text=[str(tiny_text)])
    assert found.name == "alone" and found.config is None and found.log.validations == []
    assert found.part.name == str(tiny_text)


def test_runs_that_held_different_texts_out_are_refused(tiny_text: Path) -> None:
    why = r"split the same text differently \(words, whitespace tokenizer\) .*give one with --text"
    with pytest.raises(TextError, match=f"rnn and spaced {why}"):
        load_runs([Path("rnn"), Path("spaced")])
    (spaced,) = load_runs([Path("spaced")])
    assert spaced.measured_on == "the validation part of tiny.txt" and not spaced.learned_it
    found = load_runs([Path("rnn"), Path("spaced")], text=[str(tiny_text)])
    assert not same_words(found) and not same_vocabulary(found)


def test_runs_of_other_vocabularies_stand_before_the_same_words() -> None:
    found = load_runs([Path("rnn"), Path("fewer")])
    assert same_words(found) and not same_vocabulary(found)
    assert found[0].spelled == found[1].spelled
    assert "<unk>" not in found[1].spelled and len(found[1].loaded.tokenizer) == 20


@pytest.mark.parametrize(
    ("others", "measure"),
    [
        (["mixed", "counted"], "perplexity"),
        (["fewer"], "perplexity_spelled_out"),
        (["spaced", "fewer"], "bits_per_character"),
    ],
)
def test_the_figure_that_runs_are_compared_by(
    tiny_text: Path, others: list[str], measure: str
) -> None:
    paths = [Path(name) for name in ["rnn", *others]]
    comparison = compare_loaded(load_runs(paths, text=[str(tiny_text)]))
    assert comparison.measure == measure
    learned = [run.name for run in comparison.runs if run.run.learned_it]
    assert learned == [run.name for run in comparison.runs]  # the text is that of all of them
    assert len(comparison.notes) == len(learned) + (measure != "perplexity")
    for run in comparison.runs[1:]:
        first, own = (getattr(each.measured, measure) for each in (comparison.runs[0], run))
        if measure == "bits_per_character":
            # lines have other ends than paragraphs, and so other characters: all bits count
            first *= comparison.runs[0].measured.characters
            own *= run.measured.characters
        wanted = own / first - 1
        assert run.against_first is not None
        assert run.against_first.share == pytest.approx(wanted, rel=1e-4)
        assert run.against_first.standard_error is not None
        assert (run.unique_hits is None) == (measure == "bits_per_character")


def test_a_text_that_was_learned_is_known_again_wherever_it_lies(
    tiny_text: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "other.txt"
    copied.write_bytes(tiny_text.read_bytes())
    for path in (tiny_text, copied):
        (found,) = load_runs([Path("rnn")], text=[str(path)])
        assert found.learned_it
        note = "rnn was trained on this text: these figures are misleadingly good."
        assert compare_loaded([found]).notes == [note]
    (within,) = load_runs([Path("rnn")], text=[str(tiny_text.parent)])
    assert within.learned_it
    copied.write_text("the small cat .\n")
    (found,) = load_runs([Path("rnn")], text=[str(copied)])
    assert not found.learned_it and compare_loaded([found]).notes == []
