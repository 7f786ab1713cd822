"""Equal items are found up to rounding, and a batch's mask marks them, the row itself excepted."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from isthmus.training.equal_items import equal_items, equal_rows


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9))
def test_two_pairs_are_equal_if_they_share_an_item(pairs: list[tuple[int, int]]) -> None:
    found = equal_items(*torch.tensor(pairs).T)
    for i, one in enumerate(pairs):
        for j, other in enumerate(pairs):
            assert found[i, j].item() == (i != j and bool(set(one) & set(other)))


def test_rows_that_differ_by_rounding_are_one_item_and_near_rows_are_not() -> None:
    draw = np.random.default_rng(0)
    distinct = draw.standard_normal((400, 64)).astype(np.float32)
    distinct /= np.linalg.norm(distinct, axis=1, keepdims=True)
    rounded = distinct.astype(np.float16).astype(np.float32)
    noisy = distinct + np.float32(1e-7) * draw.standard_normal(distinct.shape).astype(np.float32)
    near = distinct + np.float32(1e-3 / 8) * draw.standard_normal(distinct.shape).astype(np.float32)
    groups = equal_rows(np.concatenate([distinct, noisy, near])).reshape(3, 400)
    assert len(np.unique(groups[0])) == 400
    np.testing.assert_array_equal(groups[1], groups[0])
    assert not np.isin(groups[2], groups[0]).any()
    again = (distinct + np.float32(1e-7)).astype(np.float16).astype(np.float32)
    both = equal_rows(np.concatenate([rounded, again])).reshape(2, 400)
    np.testing.assert_array_equal(both[1], both[0])


def test_no_rows_have_no_groups() -> None:
    assert equal_rows(np.empty((0, 3), np.float32)).shape == (0,)
