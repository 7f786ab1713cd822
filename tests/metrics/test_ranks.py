"""Ranks against a loop that compares every pair of items in float64."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.metrics import chance_of_recall, relevant_ranks, target_ranks


def looped_ranks(scores: np.ndarray, relevant: np.ndarray) -> list[list[int]]:
    """For each query: order all items by score, irrelevant before relevant among equals; read off the places."""
    found = []
    for row, wanted in zip(scores.astype(np.float64), relevant, strict=True):
        order = sorted(range(len(row)), key=lambda item: (-row[item], wanted[item]))
        found.append([place + 1 for place, item in enumerate(order) if wanted[item]])
    return found


coarse = st.integers(-3, 3).map(lambda value: value / 4)
"""Few different scores, most of them negative or zero, so that ties are common."""


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 9)))
    return draw(hnp.arrays(np.float32, shape, elements=coarse)), draw(hnp.arrays(np.bool_, shape))


@given(scored())
def test_ranks_equal_those_of_a_sort_with_irrelevant_items_first_among_ties(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, relevant = case
    assert [ranks.tolist() for ranks in relevant_ranks(scores, relevant)] == looped_ranks(scores, relevant)


@given(scored())
def test_only_the_order_of_scores_counts(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, relevant = case
    shifted = (np.exp(scores.astype(np.float64)) - 10).astype(np.float64)
    for before, after in zip(relevant_ranks(scores, relevant), relevant_ranks(shifted, relevant), strict=True):
        np.testing.assert_array_equal(before, after)


def test_scoring_everything_alike_earns_the_worst_rank() -> None:
    relevant = np.zeros((1, 50), dtype=bool)
    relevant[0, 7] = True
    assert relevant_ranks(np.zeros((1, 50), np.float32), relevant)[0].tolist() == [50]


def test_a_query_without_relevant_items_has_no_ranks() -> None:
    assert [len(ranks) for ranks in relevant_ranks(np.ones((1, 3), np.float32), np.zeros((1, 3), bool))] == [0]


@given(scored(), st.randoms())
def test_the_rank_of_one_target_is_its_rank_among_relevant_items(case: tuple[np.ndarray, np.ndarray], random) -> None:
    scores, _ = case
    target = np.array([random.randrange(scores.shape[1]) for _ in scores])
    only = np.arange(scores.shape[1]) == target[:, None]
    expected = [ranks[0] for ranks in looped_ranks(scores, only)]
    own = np.take_along_axis(scores, target[:, None], 1)
    assert target_ranks(scores, own).tolist() == expected
    assert target_ranks(torch.from_numpy(scores), torch.from_numpy(own)).tolist() == expected
    assert [ranks.tolist() for ranks in relevant_ranks(scores, only)] == [[rank] for rank in expected]


@given(st.integers(1, 6), st.integers(0, 6), st.integers(1, 8))
def test_the_chance_of_recall_is_the_share_of_orders_in_which_a_relevant_item_comes_early(
    items: int, relevant: int, k: int
) -> None:
    relevant = min(relevant, items)
    orders = list(combinations(range(items), min(k, items)))  # which items come first; those below `relevant` are
    early = sum(any(item < relevant for item in first) for first in orders) / len(orders)
    assert chance_of_recall(np.array([relevant]), items, k)[0] == pytest.approx(early)
