"""The page itself: one HTML file that needs nothing beside it and asks nothing of the network."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from nextword.comparison.contender import shared_beginning
from nextword.comparison.rows import rows
from nextword.figures import change, figure, percent, share
from nextword.insight.phrases import half_life
from nextword.prediction.shades import edge_names
from nextword.report.drawings import drawings
from nextword.report.material import Material, RunMaterial
from nextword.report.repeat import FILE
from nextword.text.visible import visible
from nextword.version import __version__

TEMPLATE = "report.html"


def render(material: Material) -> str:
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
        material=material,
        single=len(material.runs) == 1,
        title=_title(material),
        table=rows(material.comparison),
        tiles=_tiles(material.runs[0]),
        pictures=drawings(material),
        edges=edge_names(),
        file=FILE,
        version=__version__,
    )


def _title(material: Material) -> str:
    """The runs' names, what all begin with said once."""
    shared = shared_beginning([run.compared.contender.run for run in material.runs])
    names = " · ".join(run.name for run in material.runs)
    return f"{shared.rstrip('-_. ')}: {names}" if shared else names


def _paragraphs(text: str) -> list[str]:
    """A text's paragraphs, or lines, each harmless."""
    return [visible(part) for part in text.replace("\n\n", "\n").split("\n") if part.strip()]


_FILTERS = {
    "visible": visible,
    "percent": percent,
    "figure": figure,
    "change": change,
    "paragraphs": _paragraphs,
}


def _tiles(run: RunMaterial) -> list[tuple[str, str]]:
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
