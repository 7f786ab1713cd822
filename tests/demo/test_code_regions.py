"""Regions of codes against the connected components of scipy."""

import numpy as np
from scipy.ndimage import find_objects, label

from isthmus.demo.code_regions import code_regions
from isthmus.embeddings.tokens import Tokens

SIDE = 8


def test_regions_are_the_largest_connected_components_of_each_code() -> None:
    grids = np.random.default_rng(0).integers(0, 3, (4, SIDE, SIDE))
    top, left = (axis.ravel() for axis in np.mgrid[:SIDE, :SIDE])
    boxes = np.tile(np.stack([left, top, left + 1, top + 1], axis=1), (4, 1)).astype(np.float32)
    tokens = Tokens.from_arrays(
        np.ones((len(boxes), 1), np.float32), SIDE * SIDE * np.arange(5), boxes,
        modality="image", space="s", unit="pixels", ids=[f"i{row}" for row in range(4)],
    )  # fmt: skip
    found = code_regions(tokens, grids.ravel())
    for code in range(3):
        expected = []
        for item, grid in zip(tokens.ids, grids, strict=True):
            parts, _ = label(grid == code, structure=np.ones((3, 3)))
            sizes = np.bincount(parts.ravel())[1:]
            rows, columns = find_objects(parts)[sizes.argmax()]
            expected.append((sizes.max(), item, [columns.start, rows.start, columns.stop, rows.stop]))
        shown = [(own.size, own.item, own.place.tolist()) for own in found[code]]
        assert sorted(shown) == sorted(expected)


def test_regions_of_a_typical_size_come_first() -> None:
    runs = [2, 9, 3, 3, 4]
    codes = np.concatenate([np.r_[np.full(run, 5), np.full(9 - run, 6)] for run in runs])
    spans = np.stack([np.arange(9), np.arange(9) + 1], axis=1).astype(np.float32)
    tokens = Tokens.from_arrays(
        np.ones((45, 1), np.float32), 9 * np.arange(6), np.tile(spans, (5, 1)),
        modality="audio", space="s", unit="seconds", ids=["a", "b", "c", "d", "e"],
    )  # fmt: skip
    assert [own.size for own in code_regions(tokens, codes)[5]] == [4, 3, 3, 2, 9]


def test_runs_in_time_are_joined_and_single_tokens_left_out() -> None:
    spans = np.stack([np.arange(7), np.arange(7) + 1], axis=1).astype(np.float32)
    tokens = Tokens.from_arrays(
        np.ones((7, 1), np.float32), np.array([0, 7]), spans, modality="audio", space="s", unit="seconds", ids=["a"]
    )
    found = code_regions(tokens, np.array([5, 5, 2, 5, 5, 5, 9]))
    assert {code: [own.place.tolist() for own in regions] for code, regions in found.items()} == {5: [[3.0, 6.0]]}
