"""The page: one self-contained HTML file that loads nothing and runs no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from nextword import __version__
from nextword.comparison.loaded_run import common_prefix
from nextword.comparison.table import rows
from nextword.evaluation.metrics import metrics_on
from nextword.formatting import change, escape_control, figure, percent, shade_names
from nextword.interpret.memory import half_life_figure
from nextword.plotting.evaluation import evaluation_figures
from nextword.plotting.runs import comparison_figures, training_figure
from nextword.plotting.style import page_svg
from nextword.report.data import ReportData, RunData
from nextword.report.facts import FILE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = "report.html"
CAPTIONS = {
    "training": "Perplexity of the training batches (higher because of dropout, and approximate "
    "with sampled softmax) and of the validation part (read in several pieces, so slightly higher "
    "than the final figure), the learning rate, and the gradient norm before clipping.",
    "curves": "Validation perplexity of each network during training, by words read and by time; "
    "read in several pieces, so slightly higher than the final figures.",
    "reliability": "How often the likeliest word came, by the probability that the model gave it. "
    "On the dashed line the model is perfectly calibrated.",
    "frequency": "Perplexity by the number of times that the training part has the word.",
    "position": "Perplexity by the word's position in its paragraph.",
    "surprisal": "How surprising the words were: the share of words by their surprisal.",
    "memory": "Above: how much of the gradient of a word’s loss is left k words back. "
    "Below: the increase in perplexity over full context when the network sees only the last few "
    "words.",
}
"""The caption of each picture, also for readers who cannot see it."""

Verdict = Literal["holds", "holds in part", "does not hold", "inconclusive"]


@dataclass(frozen=True)
class Finding:
    """What was measured of one run, or of one against another."""

    run: str
    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Claim:
    """A statement about some of the runs, judged by measurements."""

    statement: str
    findings: list[Finding]

    @property
    def verdict(self) -> Verdict:
        """The verdict of all findings together."""
        verdicts = {finding.verdict for finding in self.findings}
        if len(verdicts) == 1:
            return verdicts.pop()
        return "holds in part" if verdicts & {"holds", "holds in part"} else "inconclusive"

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True)
class Picture:
    """A picture and its caption."""

    svg: str
    caption: str


def render(data: ReportData, claims: Sequence[Claim] = (), introduction: str = "") -> str:
    """The page as HTML.

    Args:
        data: what it shows.
        claims: statements about the runs that were judged by these data.
        introduction: a sentence that says where the claims come from.

    Raises:
        NextwordError: matplotlib is not installed.
    """
    environment = Environment(
        loader=PackageLoader("nextword.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        escape_control=escape_control,
        percent=percent,
        figure=figure,
        change=change,
        paragraphs=_paragraphs,
    )
    return environment.get_template(TEMPLATE).render(
        data=data,
        single=len(data.runs) == 1,
        title=_title(data),
        claims=claims,
        introduction=introduction,
        table=rows(data.comparison),
        tiles=_tiles(data.runs[0]),
        pictures=_pictures(data),
        shades=shade_names(),
        file=FILE,
        version=__version__,
    )


def _title(data: ReportData) -> str:
    """The runs' names, their common prefix once."""
    prefix = common_prefix([run.result.run.folder_name for run in data.runs])
    names = " · ".join(run.name for run in data.runs)
    return f"{prefix.rstrip('-_. ')}: {names}" if prefix else names


def _paragraphs(text: str) -> list[str]:
    """A text's paragraphs, or lines, without control characters."""
    return [escape_control(part) for part in text.replace("\n\n", "\n").split("\n") if part.strip()]


def _tiles(run: RunData) -> list[tuple[str, str]]:
    """The few figures that a reader wants first."""
    measured, memory = run.result.measured, run.result.memory
    tiles = [(metric.title, measured.show(metric, digits=1)) for metric in metrics_on("tiles")]
    decay = None if memory is None else memory.whole
    if decay is not None and decay.half_life:
        tiles.append(("gradient's half-life", f"{half_life_figure(decay)} words"))
    return tiles


def _pictures(data: ReportData) -> dict[str, Picture]:
    """Every picture that has something to show, by its name."""
    return {
        name: Picture(page_svg(draw, name, CAPTIONS[name]), CAPTIONS[name])
        for name, draw in _figures(data)
    }


def _figures(data: ReportData) -> Iterator[tuple[str, Callable[[], Figure]]]:
    compared = comparison_figures(data.comparison)
    if len(data.runs) == 1:
        result = data.runs[0].result
        compared.pop("curves", None)
        log = result.run.log
        if log.validations or log.steps:
            yield "training", lambda: training_figure(log)
        yield from evaluation_figures(result.measured, result.name).items()
    yield from compared.items()
