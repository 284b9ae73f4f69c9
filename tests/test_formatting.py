"""Figures as people read them."""

import math

import pytest

from nextword.formatting import change, figure, percent, plain, share, short, two_digits


@pytest.mark.parametrize(
    ("value", "error", "result"),
    [
        (-0.292, 0.005, "−29.2 ± 0.5 %"),
        (0.5, None, "+50.0 %"),
        (-0.0001, 0.0002, "0.0 ± 0.0 %"),
        (12.345, None, "+1,234.5 %"),
        (math.nan, 0.1, "-"),
    ],
)
def test_changes_have_a_sign_unless_they_are_none(
    value: float, error: float | None, result: str
) -> None:
    assert change(value, error) == result


def test_shares_and_figures() -> None:
    assert [percent(value) for value in (0.5, 0.0123, 1.0, math.nan)] == [
        "50.0 %",
        "1.23 %",
        "100.0 %",
        "-",
    ]
    assert [percent(value) for value in (0.0, 1e-9, 0.00005)] == ["0.00 %", "<0.01 %", "0.01 %"]
    assert [two_digits(value) for value in (0.9999, 0.123, 0.0994, 0.00051)] == [
        "100",
        "12",
        "9.9",
        "0.051",
    ]
    assert share(0.5, 0.012) == "50.0 ± 1.2 %" and share(math.nan, 0.1) == "-"
    assert figure(1234.5678, 0.5, 2) == "1,234.57 ± 0.50" and figure(3e12, None, 1) == "3.00e+12"
    assert figure(math.inf, None, 1) == "-"


def test_no_digit_is_told_that_is_not_sure() -> None:
    result = [
        short(*each) for each in ((22.47, 0.561), (2.2134, 0.033), (1234.5, 12.0), (0.5, None))
    ]
    assert result == ["22.5 ± 0.6", "2.21 ± 0.03", "1,234 ± 12", "0.5"]
    assert short(1234.5, None) == "1,234" and short(999.7, None) == "1,000"
    assert short(3.14159, 0.0) == "3.14" and short(0.6771, 0.00602) == "0.677 ± 0.006"


def test_no_figure_is_endlessly_long_and_no_error_endless() -> None:
    assert figure(3e237, 1e236, 2) == "3.00e+237 ± 1.00e+236"
    assert change(3e237, 1e236) == "+3.00e+239 ± 1.00e+238 %"
    assert [figure(5.0, error, 1) for error in (math.inf, math.nan)] == ["5.0", "5.0"]
    assert share(0.5, math.inf) == "50.0 %" and change(0.5, math.nan) == "+50.0 %"
    assert short(5.0, math.inf) == "5"


def test_json_holds_no_number_that_is_none() -> None:
    result = plain({"a": [math.inf, {"b": math.nan}], "c": 1.5, "d": None, "e": "x"})
    assert result == {"a": [None, {"b": None}], "c": 1.5, "d": None, "e": "x"}
