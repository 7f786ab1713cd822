"""Rows that show the same item: equal bytes make a group, equal numbers of any kind make a repeat."""

import numpy as np
import torch

from isthmus.training.repeats import equal_rows, repeats


def test_rows_are_grouped_by_their_bytes() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)[[0, 1, 2, 1, 0, 3, 1]]
    assert equal_rows(rows).tolist() == [0, 1, 2, 1, 0, 5, 1]
    assert equal_rows(rows[:0]).tolist() == []


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
