"""Tables of real worlds: means over draws, ratios, and bands counted as right, wrong or absent."""

from typing import Any

import pytest

from real_table import summary, table


def row(**figures: Any) -> dict[str, Any]:
    plain = {"world": "w", "family": "f", "change": "", "best": 40.0, "oracle": 50.0, "auto": 30.0, "true": 0.2}
    return {**plain, "low": 0.1, "middle": 0.2, "high": 0.3, "verdict": "likely poor", **figures}


ROWS = [
    row(),
    row(auto=36.0, low=0.3, middle=0.5, high=0.7, verdict="Likely good."),
    row(low=None, middle=None, high=None),
    row(low=0.1, middle=0.5, high=0.9, auto=40.0),
]


def test_a_row_has_means_ratios_and_the_bands_that_were_right() -> None:
    head, _, line = table(ROWS, ["auto", "cca"])
    assert head == "| world | best | auto | cca | oracle | true MRR in 200 | estimate | inside |"
    assert line == "| w | 40.0 | 34.0 (0.85) |  | 50.0 | 0.20 | 0.40 (0.17 to 0.63) | 1 of 2, 2 without |"


def test_wide_bands_count_as_no_estimate_and_a_wrong_likely_good_is_counted() -> None:
    lines = summary(ROWS, ["auto"])
    assert "f: auto / best closed form 0.850, worst 0.750" in lines
    assert "all: auto / paired oracle 0.680, worst 0.600" in lines
    trust = next(line for line in lines if line.startswith("all: the truth"))
    assert "inside 1 of 2 bands, mean error 0.150;" in trust
    assert "in 2 of 4 draws; called likely good below 0.3 in 1" in trust


@pytest.mark.parametrize("methods", [["cca"], ["auto"]])
def test_a_run_without_comparison_has_no_columns_for_it(methods: list[str]) -> None:
    rows = [{key: value for key, value in own.items() if key not in ("best", "oracle")} for own in ROWS]
    assert "best" not in table(rows, methods)[0]
    assert not any("closed form" in line or "oracle" in line for line in summary(rows, methods))
