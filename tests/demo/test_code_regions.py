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
            expected.append((-sizes.max(), item, [columns.start, rows.start, columns.stop, rows.stop]))
        shown = [(-own.size, own.item, own.place.tolist()) for own in found[code]]
        assert shown == sorted(expected, key=lambda own: own[0])


def test_runs_in_time_are_joined_and_single_tokens_left_out() -> None:
    spans = np.stack([np.arange(7), np.arange(7) + 1], axis=1).astype(np.float32)
    tokens = Tokens.from_arrays(
        np.ones((7, 1), np.float32), np.array([0, 7]), spans, modality="audio", space="s", unit="seconds", ids=["a"]
    )
    found = code_regions(tokens, np.array([5, 5, 2, 5, 5, 5, 9]))
    assert {code: [own.place.tolist() for own in regions] for code, regions in found.items()} == {5: [[3.0, 6.0]]}
