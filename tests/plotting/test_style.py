"""What pictures share: their axes, their letters, and how they stand in a page."""

import pytest

from nextword.plotting.style import logarithmic, new_figure, page_svg, whole_numbers

pytest.importorskip("matplotlib", reason="pictures are an extra")


@pytest.mark.parametrize(
    "values", [(55.0, 160.0), (9.0, 3000.0), (30.0, 33.0), (1.0, 1e12), (7.0, 7.0), (0.02, 0.9)]
)
def test_a_logarithmic_axis_has_ticks_to_read_it_by(values: tuple[float, float]) -> None:
    axes = new_figure(3).subplots()
    axes.plot(values)
    logarithmic(axes)
    low, high = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert len(ticks) >= (1 if values[0] * 1.2 > values[1] else 4)
    assert low <= values[0] and values[1] <= high
    # as far down and up as there is something to read
    if values[1] > 2 * values[0]:
        assert ticks[0] < 2 * values[0] and ticks[-1] > values[1] / 12


def test_whole_numbers_are_few_and_whole() -> None:
    axes = new_figure(3).subplots()
    axes.plot([0, 2_423_536], [1, 2])
    whole_numbers(axes)
    ticks = axes.get_xticks()
    assert len(ticks) <= 7 and all(tick == int(tick) for tick in ticks)
    assert axes.xaxis.get_major_formatter()(600000) == "600,000"


def test_letters_that_no_font_has_are_no_warning() -> None:
    def draw() -> object:
        figure = new_figure(3)
        figure.subplots().set_title("\u65e5\u672c\u8a9e \U0001f600 \ue000")
        return figure

    drawn = page_svg(draw, "a", "told <here>")  # type: ignore[arg-type]
    assert 'aria-label="told &lt;here&gt;"' in drawn and "\u65e5\u672c\u8a9e" in drawn
