"""Gap, hubness, mutual neighbours and CSLS against their definitions written as loops in float64."""

import numpy as np
import pytest
import torch
from scipy.stats import skew

from isthmus.metrics import csls, csls_blocks, hubness, mean_nearest, modality_gap, mutual_neighbour_rate


def test_the_gap_is_the_distance_of_the_means() -> None:
    draw = np.random.default_rng(0)
    left, right = draw.standard_normal((50, 4)), draw.standard_normal((30, 4)) + 1
    means = [[sum(column) / len(rows) for column in rows.T] for rows in (left, right)]
    expected = sum((a - b) ** 2 for a, b in zip(*means, strict=True)) ** 0.5
    assert modality_gap(left, right) == pytest.approx(expected)


def test_hubness_is_the_skewness_of_the_occurrences_among_the_nearest() -> None:
    scores = np.random.default_rng(1).standard_normal((60, 25))
    occurrences = np.zeros(25)
    for row in scores:
        for item in sorted(range(25), key=lambda item: -row[item])[:5]:
            occurrences[item] += 1
    assert hubness(scores, 5) == pytest.approx(skew(occurrences))


def test_a_hub_is_seen_and_a_permutation_has_none() -> None:
    even = np.eye(30)
    assert hubness(even, 1) == 0
    with_hub = even + 2 * (np.arange(30) == 4)
    assert hubness(with_hub, 1) > 5


def test_hubness_asks_for_no_more_neighbours_than_there_are() -> None:
    assert hubness(np.random.default_rng(2).standard_normal((4, 3)), 10) == 0


@pytest.mark.parametrize("block_bytes", [1, 5 * 9 * 8, 2**20])
def test_mutual_neighbours_are_counted_from_both_sides(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
    draw = np.random.default_rng(3)
    left, right = draw.standard_normal((12, 4)), draw.standard_normal((9, 4))
    scores = left @ right.T
    best_item = [max(range(9), key=lambda item: scores[query, item]) for query in range(12)]
    best_query = [max(range(12), key=lambda query: scores[query, item]) for item in range(9)]
    there = sum(best_query[best_item[query]] == query for query in range(12)) / 12
    back = sum(best_item[best_query[item]] == item for item in range(9)) / 9
    assert mutual_neighbour_rate(left, right) == pytest.approx((there + back) / 2)


def looped_csls(left: np.ndarray, right: np.ndarray, reference: np.ndarray, neighbours: int) -> np.ndarray:
    def nearest(row: np.ndarray, others: np.ndarray) -> float:
        cosines = sorted((sum(a * b for a, b in zip(row, other, strict=True)) for other in others), reverse=True)
        return sum(cosines[:neighbours]) / len(cosines[:neighbours])

    items_nearest = [nearest(item, reference) for item in right]
    return np.array(
        [
            [
                2 * float(query @ item) - nearest(query, right) - own
                for item, own in zip(right, items_nearest, strict=True)
            ]
            for query in left
        ]
    )


@pytest.mark.parametrize("neighbours", [1, 4, 50])
@pytest.mark.parametrize("block_bytes", [1, 3 * 9 * 4, 2**20])
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_csls_equals_its_definition_for_arrays_and_tensors(
    neighbours: int, block_bytes: int, kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
    draw = np.random.default_rng(4)
    left, right, reference = (draw.standard_normal((rows, 4)).astype(np.float32) for rows in (7, 9, 11))
    expected = looped_csls(*(rows.astype(np.float64) for rows in (left, right, reference)), neighbours)
    blocks = list(csls_blocks(kind(left), kind(right), kind(reference), neighbours))
    assert [row for rows, _ in blocks for row in range(7)[rows]] == list(range(7))
    np.testing.assert_allclose(np.concatenate([scores for _, scores in blocks]), expected, atol=1e-5)


def test_csls_of_one_matrix_measures_hubs_by_that_matrix() -> None:
    draw = np.random.default_rng(5)
    left, right = draw.standard_normal((6, 3)), draw.standard_normal((8, 3))
    np.testing.assert_allclose(csls(left @ right.T, neighbours=2), looped_csls(left, right, left, 2), atol=1e-12)


def test_fewer_scores_than_neighbours_are_all_averaged() -> None:
    scores = np.array([[0.5, -0.1], [1.0, 0.25]])
    np.testing.assert_allclose(mean_nearest(scores, 10), [0.2, 0.625])
    np.testing.assert_allclose(mean_nearest(torch.from_numpy(scores), 10), [0.2, 0.625])
