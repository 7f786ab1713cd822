"""Code figures where the right answer is known by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.world import Regions

SPAN = 8
"""Tokens an item has; its first two show its label, the others nothing."""


def labelled(labels: list[int], modality: str) -> LabelledTokens:
    vectors = np.array([[label if n < 2 else -1] for label in labels for n in range(SPAN)], np.float32)
    start = np.tile(np.arange(SPAN), len(labels))
    places = np.stack([start, start + 1], axis=1).astype(np.float32)
    offsets = np.arange(len(labels) + 1) * SPAN
    tokens = Tokens.from_arrays(vectors, offsets, places, modality=modality, space=modality, unit="seconds")
    return LabelledTokens(tokens, [Regions(np.array([label]), np.array([[0.0, 2.0]], np.float32)) for label in labels])


def written(shift: dict[str, int]) -> Callable[[Tokens], np.ndarray]:
    def token_codes(tokens: Tokens) -> np.ndarray:
        shown = tokens.vectors[:, 0].astype(int)
        chosen = np.where(shown < 0, 9, shown + shift[tokens.modality])
        return np.where(np.eye(10)[chosen] > 0, -0.001, -15.0).astype(np.float32)

    return token_codes


TAUGHT = {name: labelled([0, 1, 2] * 10, name) for name in ("image", "audio")}


def test_shared_codes_get_everything_right() -> None:
    found = code_figures(written({"image": 0, "audio": 0}), TAUGHT, {"seen": TAUGHT})
    for figure in ("joint_use", "same_top_code", "transfer.image_to_audio", "pointing.audio_to_image"):
        assert found[f"{figure}.seen"] == pytest.approx(1.0), figure
    # Smoothed, the heat of the token after the label's two is a fifth of theirs or more: the region may end there.
    assert found["iou.image_to_audio.seen"] >= 2 / 3 - 1e-6


def test_codes_of_its_own_for_each_modality_share_only_the_background() -> None:
    found = code_figures(written({"image": 0, "audio": 3}), TAUGHT, {"seen": TAUGHT})
    assert found["joint_use.seen"] == pytest.approx(1 / 7)
    assert found["same_top_code.seen"] == 0.0
    assert found["purity.image.seen"] == 1.0


def test_a_label_that_nothing_shows_is_not_counted_as_shared() -> None:
    asked = {"seen": {name: labelled([1, 2], name) for name in TAUGHT}}
    assert code_figures(written({"image": 0, "audio": 3}), TAUGHT, asked)["same_top_code.seen"] == 0.0
    uneven = {"seen": {"image": labelled([1, 2], "image"), "audio": labelled([1], "audio")}}
    assert code_figures(written({"image": 0, "audio": 0}), TAUGHT, uneven)["same_top_code.seen"] == 1.0
