"""Parts of items: runs of a label along one axis, all tokens of a label in a plane."""

import numpy as np

from isthmus import Tokens
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.evaluate.transfer import events
from isthmus.worlds.world import Regions


def tokens(places: np.ndarray, items: int, unit: str) -> Tokens:
    offsets = np.linspace(0, len(places), items + 1).astype(np.int64)
    return Tokens.from_arrays(
        np.ones((len(places), 2), np.float32), offsets, places, modality="x", space="s", unit=unit
    )


def test_along_one_axis_a_label_that_returns_is_another_part() -> None:
    spans = np.stack([np.arange(6), np.arange(1, 7)], axis=1).astype(np.float32)
    places = np.concatenate([spans, spans])
    truth = Regions(np.array([4, 4]), np.array([[0, 2], [3, 5]], np.float32))
    shown = LabelledTokens(tokens(places, 2, "seconds"), [truth, truth])
    np.testing.assert_array_equal(shown.labels()[:6], [4, 4, -1, 4, 4, -1])
    np.testing.assert_array_equal(shown.parts(), [0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7])
    found = events(np.array([1, 1, 0, 2, 1, 0] * 2), shown, 3)
    np.testing.assert_array_equal(found.labels, [4, 4, 4, 4])
    np.testing.assert_array_equal(found.uses, [[0, 1, 0], [0, 0.5, 0.5]] * 2)


def test_in_a_plane_all_tokens_of_a_label_are_one_part() -> None:
    left, top = (axis.ravel() for axis in np.meshgrid(np.arange(3), np.arange(3)))
    boxes = np.stack([left, top, left + 1, top + 1], axis=1).astype(np.float32)
    truth = Regions(np.array([0, 7]), np.array([[0, 0, 2, 2], [2, 0, 3, 3]], np.float32))
    shown = LabelledTokens(tokens(np.concatenate([boxes, boxes]), 2, "pixels"), [truth, truth])
    np.testing.assert_array_equal(shown.labels()[:9], [0, 0, 7, 0, 0, 7, -1, -1, 7])
    codes = np.array([1, 1, 2, 1, 0, 2, 0, 0, 2] * 2)
    found = events(codes, shown, 3)
    np.testing.assert_array_equal(found.labels, [0, 7, 0, 7])
    np.testing.assert_array_equal(found.uses, [[0.25, 0.75, 0], [0, 0, 1]] * 2)
