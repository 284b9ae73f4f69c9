"""The style that all figures share, fit for a paper and readable in grey; writing figures."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextword.errors import ConfigError, NextwordError
from nextword.storage.files import write_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, LIGHT, ORANGE, GREY = "#0072B2", "#A9CDE5", "#B34A00", "#5F5F5F"
"""Light blue is for areas."""
GREEN, PURPLE, GRID, BAND = "#009E73", "#8A3F78", "#DDDDDD", "#E8E8E8"
"""More for lines, and two greys for what lies behind them (Wong, 2011)."""
FONT = "DejaVu Sans"
"""It comes with matplotlib, so that a figure looks the same everywhere."""
FALLBACKS = (
    *(f"Noto Sans CJK {region}" for region in ("JP", "SC", "TC", "KR")),
    *("Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "Noto Sans", "Arial Unicode MS"),
)
"""Fonts for scripts that it lacks; used if installed."""
DPI = 200
FORMATS = (".png", ".svg")
WIDTH = 5.0
"""The width of a column of a paper, in inches."""
MAX_PERPLEXITY = 1e9
"""Larger perplexities are drawn here; labels show the true value."""
LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^"},
    {"color": PURPLE, "linestyle": ":", "marker": "D"},
    {"color": "black", "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": GREY, "linestyle": (0, (8, 2)), "marker": "x"},
)
"""Line styles, distinct without colour."""
_STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "nextword",  # the same figure gives the same file
    "svg.fonttype": "none",
}


def line(number: int) -> dict[str, Any]:
    """The style of a line by its number; styles repeat."""
    return LINES[number % len(LINES)]


def prepare_plots(folder: Path) -> None:
    """Make the folder; fail now rather than after long work if nothing can be drawn.

    Raises:
        NextwordError: matplotlib is not installed, or the folder cannot be made.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise NextwordError("pictures need matplotlib: pip install 'nextword[plots]'") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NextwordError(f"{folder}: cannot be created ({error.strerror or error})") from error


def check_picture(path: Path) -> None:
    """Fail now rather than after long work if a picture cannot be drawn.

    Raises:
        ConfigError: the file name has another ending than these.
        NextwordError: matplotlib is not installed, or the folder cannot be made.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"{path}: a picture is a {' or '.join(FORMATS)} file")
    prepare_plots(path.parent)


def write_picture(path: Path, draw: Callable[[], Figure]) -> None:
    """Draw and write a file in the format of its ending.

    Raises:
        NextwordError: see :func:`check_picture`.
    """
    check_picture(path)
    write_output(path, _drawn(draw, path.suffix.lower().removeprefix(".")))


def _drawn(draw: Callable[[], Figure], kind: str, **settings: Any) -> bytes:
    """The bytes of a picture file in a format, in the shared style."""
    import matplotlib

    image = io.BytesIO()
    style = {**matplotlib.rcParamsDefault, **_STYLE, "font.family": [FONT, *_other_fonts()]}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # letters without a font become boxes
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
        draw().savefig(image, format=kind, dpi=DPI, metadata=metadata, **settings)
    return image.getvalue()


@cache
def _other_fonts() -> tuple[str, ...]:
    """Installed fonts with letters that matplotlib's own font lacks."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in FALLBACKS if name in installed)


INKS = {
    "#000000": "ink",
    "#ffffff": "paper",
    BLUE.lower(): "blue",
    LIGHT.lower(): "light",
    ORANGE.lower(): "orange",
    GREEN.lower(): "green",
    PURPLE.lower(): "purple",
    GREY.lower(): "grey",
    GRID.lower(): "grid",
    BAND.lower(): "band",
}
"""The names of a page's CSS variables for the colours of figures."""
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_FONTS = re.compile(r"font-family: [^;\"]*")
_NAME = re.compile(r"""(\bid="|url\(#|href="#)""")


def _ink(colour: str) -> str:
    return f"var(--{INKS[colour]})" if colour in INKS else colour


def page_svg(draw: Callable[[], Figure], name: str, description: str) -> str:
    """A figure as inline SVG in the fonts and colours of the page, light or dark.

    The page defines the variables ``--ink``, ``--paper``, ``--blue`` and so on, see :data:`INKS`.

    Args:
        draw: makes the figure.
        name: a prefix for all ids inside, which must be unique on a page.
        description: what the figure shows, for readers who cannot see it.
    """
    drawn = _drawn(draw, "svg", transparent=True).decode()
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    # metadata, and style rules that would apply to the whole page
    body = re.sub(r"\s*<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = _NAME.sub(rf"\g<1>{name}-", body)
    body = _COLOUR.sub(lambda match: _ink(match[0]), body)
    body = _FONTS.sub("font-family: system-ui", body)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert box is not None  # matplotlib always writes it
    width, height = box.groups()
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(description)}" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">{body}'
    )


def printable(word: str) -> str:
    """A word without unprintable characters or math markup."""
    return "".join(c if c.isprintable() else "\ufffd" for c in word).replace("$", r"\$")


def new_figure(height: float) -> Figure:
    """An empty figure as wide as a column.

    Args:
        height: in inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


_TICKS: tuple[tuple[float, ...], ...] = (
    (1.0,),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0),
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    tuple(step / 10 for step in range(10, 100, 5)),
)
"""Candidate ticks for each decade of a logarithmic axis, the fewest first."""
_MIN_TICKS = 4


def logarithmic(axes: Axes) -> None:
    """Make the vertical axis, whose data are drawn already, logarithmic with plain numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    shown: list[float] = []
    for steps in _TICKS:
        ticks = (step * 10.0**power for power in range(-3, 19) for step in steps)
        shown = [tick for tick in ticks if low <= tick <= high]
        if len(shown) >= _MIN_TICKS:
            break
    axes.yaxis.set_major_locator(FixedLocator(shown))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)


def whole_numbers(axes: Axes) -> None:
    """Label the horizontal axis with a few whole numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
