"""Classification metrics against loops that do what the definitions say, one item at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, top_k_accuracy_score

from isthmus.base.errors import IsthmusError
from isthmus.metrics import average_precisions, top_k_hits

TIED = st.integers(0, 2**32 - 1)


def slow_top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> list[bool]:
    """An item is a hit if fewer than k other classes score at least as high as its own."""
    return [
        sum(scores[item, other] >= scores[item, label] for other in range(scores.shape[1]) if other != label) < k
        for item, label in enumerate(labels)
    ]


def slow_average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Walk down the ranking, irrelevant items first among equals, and average the precision at each relevant item."""
    order = sorted(range(len(scores)), key=lambda item: (-scores[item], relevant[item]))
    found, precisions = 0, []
    for rank, item in enumerate(order, start=1):
        if relevant[item]:
            found += 1
            precisions.append(found / rank)
    return sum(precisions) / len(precisions) if precisions else float("nan")


@given(TIED)
def test_top_k_hits_are_those_of_a_loop(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 4, (6, 5)).astype(float)
    labels = draw.integers(0, 5, 6)
    for k, hits in top_k_hits(scores, labels, ks=(1, 2, 5)).items():
        assert hits.tolist() == slow_top_k(scores, labels, k)


def test_without_ties_top_k_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    scores, labels = draw.standard_normal((200, 9)), draw.integers(0, 9, 200)
    for k, hits in top_k_hits(scores, labels).items():
        assert hits.mean() == pytest.approx(top_k_accuracy_score(labels, scores, k=k, labels=np.arange(9)))


@given(TIED)
def test_average_precision_is_that_of_a_walk_down_the_ranking(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores, relevant = draw.integers(0, 4, (4, 7)).astype(float), draw.random((4, 7)) < 0.4
    slow = [slow_average_precision(*own) for own in zip(scores, relevant, strict=True)]
    np.testing.assert_allclose(average_precisions(scores, relevant), slow)


def test_without_ties_average_precision_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    scores, relevant = draw.standard_normal((20, 50)), draw.random((20, 50)) < 0.2
    theirs = [average_precision_score(truth, own) for truth, own in zip(relevant, scores, strict=True)]
    np.testing.assert_allclose(average_precisions(scores, relevant), theirs)


def test_a_model_that_scores_everything_alike_is_right_about_nothing() -> None:
    flat, labels = np.zeros((3, 4)), np.array([0, 1, 3])
    assert not any(hits.any() for hits in top_k_hits(flat, labels, ks=(1, 3)).values())
    assert average_precisions(flat, np.eye(4, dtype=bool)[:3]).tolist() == [0.25] * 3


@pytest.mark.parametrize("labels", [[0, 3], [0, -1]])
def test_labels_that_are_no_columns_are_refused(labels: list[int]) -> None:
    with pytest.raises(IsthmusError, match="one label from 0 to 2 for each of the 2 items"):
        top_k_hits(np.zeros((2, 3)), np.array(labels))
