"""Code figures where the right answer is known by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from isthmus.codes.reading.use import best_f1
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.pointing import part_queries
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.localize import lifted
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


def test_a_label_that_training_never_shows_is_searched_for_without_success() -> None:
    asked = {"seen": {name: labelled([1, 4], name) for name in TAUGHT}}
    found = code_figures(written({"image": 0, "audio": 0}), TAUGHT, asked)
    assert found["pointing.image_to_audio.seen"] == found["pointing_by_part.image_to_audio.seen"] == 0.5
    assert found["transfer.image_to_audio.seen"] == 0.5


def test_a_code_names_a_label_only_if_it_is_rarely_used_for_anything_else() -> None:
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    labels = np.array([0, 0, 0, -1, 1, 1, -1, 3, 3, 1])

    def f1(code: int, label: int) -> float:
        hits = sum(1 for own, shown in zip(codes, labels, strict=True) if own == code and shown == label)
        return 2 * hits / ((codes == code).sum() + (labels == label).sum())

    expected = [max(f1(code, label) for code in range(3)) for label in (0, 1, 3)]
    found = best_f1(codes, labels)
    np.testing.assert_allclose(found[[0, 1, 3]], expected)
    assert np.isnan(found[2])


def test_a_query_of_one_part_is_made_of_the_tokens_of_one_item_only() -> None:
    own = labelled([1, 0, 1, 1], "audio")
    log_codes = np.log(np.random.default_rng(0).dirichlet(np.ones(5), len(own.tokens.vectors))).astype(np.float32)
    found = part_queries(log_codes, own, 2)
    each = np.exp(log_codes)
    alone = [lifted(each[SPAN * item : SPAN * item + 2].mean(0), each.mean(0)) for item in (0, 2, 3)]
    assert sum(np.allclose(found[1], one, atol=1e-6) for one in alone) == 1
    np.testing.assert_allclose(found[0], lifted(each[SPAN : SPAN + 2].mean(0), each.mean(0)), atol=1e-6)
