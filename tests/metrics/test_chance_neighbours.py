"""How often unrelated items are each other's nearest, against a loop and against what holds for random scores."""

import numpy as np
import pytest

from isthmus.metrics import ChanceNeighbours


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def drawn(left: int, right: int, dim: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return unit(draw.standard_normal((left, dim))), unit(draw.standard_normal((right, dim)))


@pytest.mark.parametrize(("left", "right"), [(50, 50), (50, 400), (300, 120), (100, 5000), (3000, 60)])
def test_rows_with_nothing_in_common_have_the_rate_of_random_scores(left: int, right: int) -> None:
    """Of independent scores a pair is mutual if it is the largest of its row and column: n / (n + m - 1) of m rows."""
    known = ChanceNeighbours.of(*drawn(800, 800, 3000))
    assert known is not None
    assert known.rate(left, right) == pytest.approx(right / (left + right - 1), rel=0.12)


def test_the_rate_of_other_rows_agrees_with_a_loop() -> None:
    """In few directions rows are mutual neighbours as often as other rows of the same kind, not as random scores."""
    known = ChanceNeighbours.of(*drawn(500, 500, 3))
    others = drawn(200, 400, 3, seed=1)
    assert known is not None
    scores = others[0] @ others[1].T
    mutual = sum(scores[:, scores[row].argmax()].argmax() == row for row in range(200)) / 200
    assert known.rate(200, 400) == pytest.approx(mutual, abs=0.08)


def test_exchanged_sides_have_as_many_pairs() -> None:
    known = ChanceNeighbours.of(*drawn(300, 250, 10))
    assert known is not None
    assert known.swapped().rate(200, 100) * 200 == pytest.approx(known.rate(100, 200) * 100, rel=1e-6)
    assert ChanceNeighbours.from_dict(known.as_dict()) == known


def test_fewer_than_fifty_rows_are_not_measured() -> None:
    assert ChanceNeighbours.of(*drawn(49, 300, 10)) is None
