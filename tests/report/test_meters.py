"""Meters and chains: lengths and places are those of the figures, and names cannot break the page."""

import re

import numpy as np
import pytest

from isthmus.report import Bar, Link, Span, bars, chains, histogram, scale

NASTY = '<script>"&'


def test_a_histogram_is_as_high_as_its_counts() -> None:
    counts = np.random.default_rng(0).integers(0, 50, 20)
    html = histogram(counts.tolist(), "scores", "rows")
    heights = [float(found) for found in re.findall(r"height:([\d.]+)%", html)]
    np.testing.assert_allclose(heights, 100 * counts / counts.max(), atol=0.06)
    assert html.count('class="low"') == html.count('class="high"') == 10
    assert f'0.05 to 0.10: {counts[1]} rows"' in html


def test_bands_and_bars_are_where_their_figures_are() -> None:
    html = scale([Span("a", 0.25, 0.4, 0.5)], [("poor", 0.0, 0.2), ("good", 0.2, 1.0)])
    assert '<i style="left:25.0%;width:25.0%"></i><b style="left:40.0%"></b>' in html
    assert [float(at) for at in re.findall(r'left:([\d.]+)%">[\d.]+<', html)] == [0, 20, 100]
    widths = re.findall(r"width:([\d.]+)%", bars([Bar("a", 0.5, "x"), Bar("b", 7.0, "y"), Bar("c", -1.0, "z")]))
    assert widths == ["50.0", "100.0", "0.0"]


@pytest.mark.parametrize(
    "html",
    [
        histogram([1, 2], NASTY, NASTY),
        scale([Span(NASTY, 0.0, 0.5, 1.0, NASTY)], [(NASTY, 0.0, 1.0)]),
        bars([Bar(NASTY, 0.5, NASTY)]),
        chains([NASTY], [[Link("", NASTY, NASTY)]]),
    ],
)
def test_names_are_escaped(html: str) -> None:
    assert NASTY not in html
    assert "&lt;script&gt;&quot;&amp;" in html
