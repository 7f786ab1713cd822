"""Heat and regions against places computed by hand."""

import numpy as np
import pytest

from isthmus.localize import agreement, peak, region, similarity, smoothed, touching
from isthmus.localize.regions import overlap

SPANS = np.stack([np.arange(6.0), np.arange(6.0) + 1], axis=1)
GRID = np.array([[x, y, x + 1, y + 1] for y in range(3) for x in range(4)], dtype=float)


def test_agreement_is_one_for_equal_distributions_and_zero_for_disjoint_ones() -> None:
    with np.errstate(divide="ignore"):
        logs = np.log(np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]))
    found = agreement(logs, np.array([0.25, 0.75, 0.0]))
    np.testing.assert_allclose(found, [1, 0], atol=1e-12)


def test_similarity_is_the_cosine() -> None:
    found = similarity(np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]), np.array([5.0, 0.0]))
    np.testing.assert_allclose(found, [1, 0, np.sqrt(0.5)])


def test_a_span_grows_over_touching_hot_tokens_only() -> None:
    heat = np.array([0.0, 0.9, 1.0, 0.0, 0.8, 0.0])
    assert region(heat, SPANS, touching(SPANS), 0.5).tolist() == [1, 3]
    assert peak(heat, SPANS).tolist() == [2.5]


def test_a_box_grows_in_both_directions() -> None:
    heat = np.zeros(12)
    heat[[5, 6, 9]] = [1.0, 0.9, 0.8]
    heat[3] = 0.95
    assert region(heat, GRID, touching(GRID), 0.5).tolist() == [1, 0, 4, 3]
    heat[3] = 0.0
    assert region(heat, GRID, touching(GRID), 0.5).tolist() == [1, 1, 3, 3]
    assert peak(heat, GRID).tolist() == [1.5, 1.5]


def test_a_token_touches_itself_and_its_neighbours() -> None:
    assert np.flatnonzero(touching(SPANS)[2]).tolist() == [1, 2, 3]
    assert np.flatnonzero(touching(GRID)[5]).tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert np.flatnonzero(touching(GRID)[0]).tolist() == [0, 1, 4, 5]


def test_smoothing_counts_neighbours_half() -> None:
    heat = np.array([0.0, 4.0, 0.0, 0.0, 0.0, 6.0])
    np.testing.assert_allclose(smoothed(heat, touching(SPANS)), [4 / 3, 2, 1, 0, 1.5, 4])


@pytest.mark.parametrize(
    ("found", "true", "expected"),
    [([0, 2], [1, 3], 1 / 3), ([0, 1], [2, 3], 0.0), ([0, 0, 2, 2], [1, 1, 2, 2], 0.25), ([1, 4], [1, 4], 1.0)],
)
def test_overlap_is_intersection_over_union(found: list, true: list, expected: float) -> None:
    assert overlap(np.array(found, float), np.array(true, float)) == pytest.approx(expected)
