"""Rows that show the same item: equal up to rounding make a group, equal numbers of any kind make a repeat."""

import numpy as np
import torch

from isthmus.training.repeats import equal_rows, repeats


def test_rows_are_grouped_with_the_first_that_equals_them() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)[[0, 1, 2, 1, 0, 3, 1]]
    assert equal_rows(rows).tolist() == [0, 1, 2, 1, 0, 5, 1]
    assert equal_rows(rows[:0]).tolist() == []


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


def test_a_pair_repeats_if_any_of_its_numbers_does() -> None:
    draw = np.random.default_rng(1)
    numbers = draw.integers(0, 6, (2, 9))
    own = [2, 3, 4]
    expected = [[any(kind[i] == kind[j] for kind in numbers) and i != j for j in range(9)] for i in own]
    found = repeats(torch.from_numpy(numbers), torch.tensor(own))
    assert found is not None
    assert found.tolist() == expected


def test_no_repeat_needs_no_mask() -> None:
    assert repeats(torch.tensor([[3, 1, 2]]), torch.arange(3)) is None
