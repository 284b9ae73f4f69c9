"""The page itself: one HTML file that needs nothing beside it and asks nothing of the network."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from nextword import __version__
from nextword.comparison.loaded_run import shared_beginning
from nextword.comparison.table import rows
from nextword.formatting import change, escape_control, figure, percent, share
from nextword.inference.shades import edge_names
from nextword.interpret.phrases import half_life
from nextword.report.data import ReportData, RunData
from nextword.report.figures import drawings
from nextword.report.reproduce import FILE

TEMPLATE = "report.html"


def render(data: ReportData) -> str:
    """The page as HTML.

    Args:
        material: what it tells.

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
    for name, function in _FILTERS.items():
        environment.filters[name] = function
    return environment.get_template(TEMPLATE).render(
        data=data,
        single=len(data.runs) == 1,
        title=_title(data),
        table=rows(data.comparison),
        tiles=_tiles(data.runs[0]),
        pictures=drawings(data),
        edges=edge_names(),
        file=FILE,
        version=__version__,
    )


def _title(data: ReportData) -> str:
    """The runs' names, what all begin with said once."""
    shared = shared_beginning([run.compared.loaded_run.run for run in data.runs])
    names = " · ".join(run.name for run in data.runs)
    return f"{shared.rstrip('-_. ')}: {names}" if shared else names


def _paragraphs(text: str) -> list[str]:
    """A text's paragraphs, or lines, each harmless."""
    return [escape_control(part) for part in text.replace("\n\n", "\n").split("\n") if part.strip()]


_FILTERS = {
    "escape_control": escape_control,
    "percent": percent,
    "figure": figure,
    "change": change,
    "paragraphs": _paragraphs,
}


def _tiles(run: RunData) -> list[tuple[str, str]]:
    """The few figures that a reader wants first."""
    measured = run.compared.measured
    errors = measured.standard_errors
    memory = run.compared.memory
    told = [
        ("perplexity", figure(measured.perplexity, errors["perplexity"], 1)),
        ("right word first", share(measured.top_1, errors["top_1"])),
        ("among the first 3", share(measured.top_3, errors["top_3"])),
        ("keystrokes saved", share(measured.keystroke_savings, errors["keystroke_savings"])),
    ]
    fade = None if memory is None else memory.whole
    if fade is not None and fade.half_life:
        told.append(("gradient's half-life", f"{half_life(fade)} words"))
    return told
