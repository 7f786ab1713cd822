import numpy as np
import pytest

from isthmus.connectors.overlap.alignment import matching_rows


@pytest.mark.parametrize("seed", range(3))
def test_matching_rows_have_equal_ids_in_the_order_of_the_left_side(seed):
    draw = np.random.default_rng(seed)
    left = [str(n) for n in draw.permutation(30)[:20]]
    right = [str(n) for n in draw.permutation(30)[:15]]

    left_rows, right_rows = matching_rows(left, right)

    assert [left[row] for row in left_rows] == [right[row] for row in right_rows] == [n for n in left if n in right]


def test_equal_ids_match_row_by_row():
    left_rows, right_rows = matching_rows(["b", "a"], ["b", "a"])
    assert left_rows.tolist() == right_rows.tolist() == [0, 1]


def test_ids_without_a_match_give_empty_row_numbers():
    left_rows, right_rows = matching_rows(["a"], ["b"])
    assert len(left_rows) == len(right_rows) == 0
    assert left_rows.dtype == right_rows.dtype == np.int64
