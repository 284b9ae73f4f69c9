"""The page: what it tells, that it asks for nothing, and that nothing it shows can command it."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nextword.comparison.loaded_run import load_runs
from nextword.config.schema import Config
from nextword.formatting import counted, escape_control
from nextword.interpret.memory import MemorySettings
from nextword.report.data import ReportData, collect
from nextword.report.facts import facts
from nextword.report.page import Claim, Finding, render

pytest.importorskip("matplotlib", reason="pictures are an extra")
FEW = MemorySettings(reach=10, places=5)
VOID = {"meta", "br", "path", "use", "rect", "link"}


class Page(HTMLParser):
    """Reads a page strictly: every element that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "path"):
            self.words.append(data)

    @property
    def shown(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def data(kinds: Path) -> ReportData:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(kinds)
        return collect(load_runs([Path("tiny")]), FEW)


@pytest.fixture(scope="module")
def several(kinds: Path) -> ReportData:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(kinds)
        paths = [Path(name) for name in ("rnn", "mixed", "feedforward")]
        return collect(load_runs(paths, alone=True), FEW)


def check_self_contained(text: str) -> Page:
    page = Page(text)
    names = [name for _, item in page.tags if (name := item.get("id"))]
    assert len(names) == len(set(names))
    for tag, item in page.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "form", "base")
        for key, value in item.items():
            assert not key.startswith("on")
            if key in ("href", "xlink:href", "src"):
                assert value and value.startswith("#") and value[1:] in names, value
    assert "@import" not in text
    # pictures wear the page's colours, and every one of those is defined
    _, drawn = text.split("</style>", 1)
    assert not re.findall(r"(?:fill|stroke|color): ?#", drawn)
    defined = set(re.findall(r"(--\w+):", text))
    assert set(re.findall(r"var\((--\w+)\)", text)) <= defined
    for name in re.findall(r"url\(([^)]*)\)", text):
        assert name.removeprefix("#") in names
    policies = [item for tag, item in page.tags if tag == "meta" and "http-equiv" in item]
    assert policies[0]["content"].startswith("default-src 'none'")  # type: ignore[union-attr]
    return page


def test_one_run_is_told_whole(data: ReportData, tiny_text: Path) -> None:
    text = render(data)
    page = check_self_contained(text)
    run = data.runs[0]
    shown = page.shown
    assert f"perplexity {run.result.measured.perplexity:.1f}" in shown
    assert "measured on the validation part of tiny.txt." in shown
    assert str(tiny_text.parent) not in text
    record = data.runs[0].result.run.record
    assert record is not None and record.text_sha256 in shown
    assert len(run.validations) == 4 and run.prompts
    for look in run.validations:
        assert f"{look.perplexity:,.1f}" in shown
        for prompt in run.prompts:
            assert f"{prompt} …" in shown and look.samples[prompt][0].word in shown
    assert [item.seed for item in run.generated] == [1, 2, 3]
    for written in run.generated:
        ending = " ".join(written.text.split("\n")[-1].split()[-3:])
        assert ending in shown
    drawn = [item["aria-label"] for tag, item in page.tags if tag == "svg"]
    assert len(drawn) == 6 and all(drawn)
    assert "nextword train --config again.yaml --run tiny-again" in shown
    assert "hidden_size: 24" in text and "does not hold" not in shown
    words = [item for tag, item in page.tags if tag == "span" and "title" in item]
    assert len(words) == sum(len(item.words) for item in run.hardest + [run.ordinary] if item)


def test_the_same_run_gives_the_same_page(data: ReportData, kinds: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(kinds)
        again = collect(load_runs([Path("tiny")]), FEW)
    timeless = [
        re.sub(r"<th scope=.row.>reading words/s</th>.*", "", render(item))
        for item in (data, again)
    ]
    assert timeless[0] == timeless[1]


def test_several_runs_stand_side_by_side(several: ReportData) -> None:
    page = check_self_contained(render(several))
    shown = page.shown
    assert "Do these networks show it?" not in shown and "They were trained alike" in shown
    for run in several.runs:
        assert f"Predictions during training: {run.name}" in shown and len(run.validations) == 4
        assert run.result.unique_hits is not None
        assert f"at {counted(run.result.unique_hits.tokens, 'position')}" in shown
        assert run.ordinary is None and len(run.hardest) <= 2
    # what is true of all is told once
    assert shown.count("its SHA-256") == 1 and shown.count("took ") >= 3
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 2
    assert "nextword report rnn-again mixed-again feedforward-again" in shown


def test_claims_that_were_judged_elsewhere_are_shown(several: ReportData) -> None:
    claims = [
        Claim("Rain is wet", [Finding("<rnn>", "holds", "so it was"), Finding("b", "holds", "-")]),
        Claim("Fire is cold", [Finding("a", "inconclusive", "±")]),
    ]
    shown = check_self_contained(render(several, claims, "Somebody said so.")).shown
    assert "Do these networks show it? Somebody said so." in shown
    for claim in claims:
        assert f"{claim.statement}: {claim.verdict}" in shown
        for finding in claim.findings:
            assert f"{finding.run} {finding.verdict} {finding.evidence}" in shown


def test_runs_that_were_not_trained_alike_are_said_so(several: ReportData) -> None:
    first, *others = several.comparison.runs
    wider = replace(first.run, config=with_size(first.run.config, 77))
    runs = [replace(first, run=wider), *others]
    shown = Page(render(replace(several, comparison=replace(several.comparison, runs=runs)))).shown
    assert "They were not trained alike: model.hidden_size (77, 24, 24)." in shown


def with_size(config: Config | None, size: int) -> Config:
    assert config is not None
    return config.model_copy(
        update={"model": config.model.model_copy(update={"hidden_size": size})}
    )


def test_a_page_names_no_folder(
    kinds: Path, tmp_path: Path, tiny_text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kinds)
    copied = shutil.copy(tiny_text, tmp_path / "copy.txt")
    moved = Path(shutil.copytree(kinds / "runs" / "mixed", tmp_path / "rnn"))
    config = moved / "config.yaml"
    config.write_text(config.read_text().replace(str(tiny_text), str(copied)))
    for paths in ([moved], [Path("rnn"), moved]):
        text = render(collect(load_runs(paths, alone=True), FEW))
        for folder in (kinds, tmp_path, tiny_text.parent):
            assert str(folder) not in text
    assert f"{tmp_path.name}/rnn" in text  # as much of it as tells one from the other
    assert "--run rnn-again" in text and "--run rnn-again-2" in text


@pytest.mark.parametrize("name", ["counted", "fewer"])
def test_any_run_has_a_page(kinds: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kinds)
    data = collect(load_runs([Path(name)]), MemorySettings(reach=5000))
    text = render(data)
    shown = check_self_contained(text).shown
    loaded_run = data.runs[0].result.run
    assert loaded_run.part.name not in text  # it names folders
    reason = {"counted": "n-grams have no memory", "fewer": "too few to look 5000 words back"}
    assert "Not measured: " in shown and reason[name] in shown
    assert "gradient's half-life" not in shown


def test_a_model_without_its_run_has_a_page(kinds: Path, tmp_path: Path) -> None:
    (tmp_path / "alone").symlink_to(kinds / "runs" / "rnn" / "model")
    (tmp_path / "short.txt").write_text("Napoleon was the Emperor of France .\n")
    loaded_runs = load_runs([tmp_path / "alone"], text=[str(tmp_path / "short.txt")])
    assert [title for title, _ in facts(loaded_runs[0])] == ["network"]
    shown = check_self_contained(render(collect(loaded_runs, FEW))).shown
    assert "measured on short.txt." in shown and "Reproduce this run" not in shown
    assert "All paragraphs are too short to show." in shown


def test_a_run_whose_text_is_gone_can_be_told_of_on_another(
    kinds: Path, tmp_path: Path, tiny_text: Path
) -> None:
    run = Path(shutil.copytree(kinds / "runs" / "rnn", tmp_path / "moved"))
    config = run / "config.yaml"
    config.write_text(config.read_text().replace(str(tiny_text), str(tmp_path / "gone.txt")))
    (loaded_run,) = load_runs([run], text=[str(tiny_text)])
    item = dict(facts(loaded_run))
    assert item["text"] == "gone.txt" and "moved, deleted or changed" in item["text now"]
    assert "took" in item and "optimizer" in item and "held out" not in item


def test_nothing_that_is_shown_can_command_the_page(several: ReportData) -> None:
    evil = "<script>alert(1)</script>\x1b[31m\u202e&lt;"
    run = several.runs[0]
    # its name stands in notes and in what is said of trainings that nobody knows, too
    unknown = replace(run.result.run, name=evil, config=None, learned_it=True)
    compared = replace(run.result, run=unknown)
    unique_hits = compared.unique_hits
    assert unique_hits is not None
    example = replace(unique_hits.examples[0], word=evil, before=evil)
    compared = replace(
        compared,
        unique_hits=replace(
            unique_hits,
            examples=[example],
            words=[replace(unique_hits.words[0], word=evil)],
        ),
    )
    spoiled = replace(
        run,
        result=compared,
        facts=[("text", evil)],
        prompts=[*run.prompts, evil],
        generated=[replace(run.generated[0], prompt=evil, text=evil + "\n\n" + evil)],
    )
    comparison = replace(several.comparison, runs=[compared, *several.comparison.runs[1:]])
    text = render(
        replace(
            several,
            comparison=comparison,
            runs=[spoiled, *several.runs[1:]],
            commands=[evil],
            config=evil,
        )
    )
    page = check_self_contained(text)
    assert f"{escape_control(evil)} was trained on this text" in page.shown
    assert f"no record of training for {escape_control(evil)}." in page.shown
    assert "<script" not in text and "&lt;script&gt;" in text and r"\x1b[31m" in text
    assert "\u202e" not in text and "\x1b" not in text
