"""Gap, hubness and mutual neighbours against their definitions written as loops."""

import importlib

import numpy as np
import pytest
from scipy.stats import skew

from isthmus.metrics import hubness, modality_gap, mutual_neighbour_rate


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


@pytest.mark.parametrize("block", [1, 5, 100])
def test_mutual_neighbours_are_counted_from_both_sides(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("isthmus.metrics.neighbours"), "BLOCK_ROWS", block)
    draw = np.random.default_rng(3)
    left, right = draw.standard_normal((12, 4)), draw.standard_normal((9, 4))
    scores = left @ right.T
    best_item = [max(range(9), key=lambda item: scores[query, item]) for query in range(12)]
    best_query = [max(range(12), key=lambda query: scores[query, item]) for item in range(9)]
    there = sum(best_query[best_item[query]] == query for query in range(12)) / 12
    back = sum(best_item[best_query[item]] == item for item in range(9)) / 9
    assert mutual_neighbour_rate(left, right) == pytest.approx((there + back) / 2)
