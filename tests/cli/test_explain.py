"""``nextword explain``: a prompt word by word, and gradients."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.cli.explain import interpretation
from nextword.inference.session import Prediction
from nextword.interpret.explanation import Attribution, Explanation, WordRead

Cli = Callable[..., SimpleNamespace]
PROMPT = "Napoleon was the"
SMALL = ("--gradients", "--reach", "10", "--places", "5")


@pytest.fixture(autouse=True)
def there(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kinds)
    monkeypatch.setenv("NEXTWORD_MODEL", "runs/tiny")
    monkeypatch.setenv("COLUMNS", "100")


def test_a_prompt_is_shown_word_by_word(cli: Cli) -> None:
    called = cli("explain", PROMPT)
    assert (called.code, called.err) == (0, "")
    above, head, *lines = called.out.splitlines()
    columns = "t word before rank entropy moved input forget output likely next words (%)"
    assert head.split() == columns.split() and above.split() == ["probability"]
    assert [line.split()[:2] for line in lines[:4]] == [
        ["0", "¶"],
        ["1", "Napoleon"],
        ["2", "was"],
        ["3", "the"],
    ]
    answer = json.loads(cli("explain", PROMPT, "--json").out)
    step = answer["steps"][3]
    shown = lines[3].split()
    assert shown[5:10] == [
        f"{step['entropy_bits']:.2f}",
        f"{step['moved']:.2f}",
        *(f"{step['gates'][0][name]:.2f}" for name in ("input", "forget", "output")),
    ]
    best = step["predictions"][0]
    assert f"{best['word']} {100 * best['probability']:.2g}" in lines[3]
    assert answer["prediction"] == best and len(answer["attributions"]) == 4
    assert f"What made '{best['word']}'" in called.out and "read as <unk>" in called.out
    assert f"{answer['attributions'][3]['left_out_bits']:+.2f}" in lines[-8]
    assert " this prediction" in called.out
    assert not answer["network_alone_of_a_mixture"] and "alone" not in called.out


def test_predictions_are_those_of_predict_and_as_many_as_wanted(cli: Cli) -> None:
    answer = json.loads(cli("explain", PROMPT, "-k", "6", "--json").out)
    wanted = json.loads(cli("predict", PROMPT, "-k", "6", "--json").out)["predictions"]
    found = answer["steps"][-1]["predictions"]
    assert [p["word"] for p in found] == [p["word"] for p in wanted]
    assert len(found) == 6
    narrow = cli("explain", PROMPT, "-k", "1").out.splitlines()[5]
    assert "," not in narrow


def test_a_mixture_a_network_without_memory_and_one_that_is_none(cli: Cli) -> None:
    mixed = cli("explain", PROMPT, "-m", "mixed")
    assert "reset update" in mixed.out and "the network alone; predict mixes it" in mixed.out
    plain = cli("explain", f"{PROMPT} zebra", "-m", "feedforward")
    assert plain.code == 0 and "moved" not in plain.out and "update" not in plain.out
    row = next(line for line in plain.out.splitlines()[::-1] if "zebra (?)" in line)
    assert row.endswith("-")  # an unknown word read as unknown changes nothing
    assert "(?) is not in the vocabulary" in plain.out
    for args in ((PROMPT,), SMALL):
        counted = cli("explain", *args, "-m", "counted")
        assert (counted.code, counted.out) == (1, "")
        assert "no network" in counted.err and counted.err.count("\n") == 1


def test_a_prompt_may_come_through_a_pipe_and_commands_no_terminal(cli: Cli) -> None:
    assert cli("explain", stdin=f"{PROMPT}\n").out == cli("explain", PROMPT).out
    called = cli("explain", "\x1b[31mNapoleon")
    assert called.code == 0 and "\x1b" not in called.out


@pytest.mark.usefixtures("logging_all")
def test_gradients_and_contexts_are_measured_under_a_bar(cli: Cli) -> None:
    called = cli("explain", *SMALL)
    assert called.code == 0 and " elapsed, " in called.err
    answer = json.loads(cli("explain", *SMALL, "--json").out)
    assert answer["reach"] == 10 and answer["places"]["gradient"] == 5
    lines = called.out.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.split()}
    assert lines[0] == "model   tiny, lstm"
    assert "geometric mean" in called.out and "h alone" in called.out
    means = [answer[key]["geometric_mean"][10] for key in ("gradient", "gradient_hidden")]
    row = next(line.split() for line in lines if line.startswith("   10  "))
    assert [row[1], row[3]] == [f"{value:.3g}" for value in means]
    assert f"half-life {answer['half_life']:.3g} words, fitted" in called.out
    assert rows["all"] == [f"{answer['perplexity']:,.2f}"]


def test_a_text_and_a_split_may_be_chosen(cli: Cli, tiny_text: Path) -> None:
    runs = [
        json.loads(cli("explain", *SMALL, "--json", *more).out)["text"]
        for more in ((), ("--split", "test"), ("--text", tiny_text), (tiny_text,))
    ]
    assert runs[0].startswith("validation part") and runs[1].startswith("test part")
    assert runs[2] == runs[3] == str(tiny_text)
    short = cli("explain", "--gradients", "--reach", "5000")
    assert short.code == 1 and "too few to look 5000 words back" in short.err


def test_a_text_that_was_learned_is_said_to_be(cli: Cli, tiny_text: Path, tmp_path: Path) -> None:
    said = "tiny was trained on this text: these figures are misleadingly good"
    assert said in cli("explain", *SMALL, tiny_text).err
    (tmp_path / "other.txt").write_text("the cat sat on the mat .\n\n" * 10)
    assert said not in cli("explain", *SMALL, tmp_path / "other.txt").err


def test_gradients_picture(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    picture = tmp_path / "memory.svg"
    called = cli("explain", *SMALL, "--plot", picture)
    assert called.code == 0 and f"saved {picture}" in called.err
    assert "tiny: half-life" in picture.read_text()


def test_a_network_without_a_state_has_contexts_but_no_gradient(cli: Cli) -> None:
    called = cli("explain", *SMALL, "-m", "feedforward")
    assert "no hidden state for gradients to flow through" in called.out
    assert (
        called.out.splitlines()[-1] == "needs 3 words of context to come within 1 % of full context"
    )
    answer = json.loads(cli("explain", *SMALL, "-m", "feedforward", "--json").out)
    assert answer["half_life"] is None and answer["gradient"] is None


def test_a_prompts_picture(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    picture = tmp_path / "prompt.png"
    called = cli("explain", PROMPT, "--plot", picture)
    assert called.err == f"saved {picture}\n" and picture.read_bytes().startswith(b"\x89PNG")
    picture = tmp_path / "long.svg"
    cli("explain", "the cat " * 20 + "zebra", "--plot", picture)
    assert "the last 30 of 42 words" in picture.read_text() and "zebra (?)" in picture.read_text()


@pytest.mark.usefixtures("without_matplotlib")
def test_a_missing_matplotlib_is_said_before_anything_is_read(cli: Cli, tmp_path: Path) -> None:
    called = cli("explain", *SMALL, "-m", "none", "--plot", tmp_path / "a.png")
    assert (called.code, called.out) == (1, "")
    assert called.err == "Error: pictures need matplotlib: pip install 'nextword[plots]'\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("a.txt", "--gradients", "--text", "b.txt"), "not both"),
        ((PROMPT, "--reach", "20"), "--reach goes with --gradients"),
        ((PROMPT, "--split", "test"), "--split goes with --gradients"),
        (("--gradients", "--reach", "1"), "--reach"),
        (("--gradients", "-k", "7"), "-k goes with a PROMPT"),
        ((PROMPT, "--plot", "a.pdf"), ".png or .svg"),
        ((), "no prompt"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(cli: Cli, args: tuple[str, ...], said: str) -> None:
    called = cli("explain", *args)
    assert (called.code, called.out) == (2, "") and said in called.err


def explanation(bits: dict[str, float]) -> Explanation:
    """Of a text of words, each with the bits that the prediction loses without it."""
    words = [WordRead(word, word != "zebra", None, None, 1.0, None, [], []) for word in bits]
    parts = [Attribution(word, 0.0, value) for word, value in bits.items()]
    return Explanation(words, Prediction("France", 0.4), parts)


@pytest.mark.parametrize(
    ("bits", "sentence"),
    [
        (
            {"Napoleon": 0.1, "was": 1.0, "Emperor": 3.0, "of": 4.0},
            "'of' and 'Emperor' carry this prediction; 'Napoleon' hardly matters.",
        ),
        ({"the": 2.0, "zebra": 9.0}, "'the' carries this prediction."),
        (
            {"a": 0.01, "b": 0.0, "c": -0.01, "d": 0.02, "e": 0.0, "f": 5.0},
            "'f' carries this prediction; 'd', 'a', 'b' and 2 other words hardly matter.",
        ),
        (
            {"¶": 3.0, "the": 0.1},
            "The start of the paragraph carries this prediction; 'the' hardly matters.",
        ),
        ({"¶": 1.0, "the": 2.0}, "'the' carries this prediction."),
        ({"the": 0.01}, "No single word carries 'France'."),
        ({"the": -1.0}, "No single word carries 'France'."),
    ],
)
def test_the_last_sentence_says_which_words_matter(bits: dict[str, float], sentence: str) -> None:
    assert interpretation(explanation(bits)) == sentence
