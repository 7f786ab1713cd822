"""Codes without a gradient: words of windows, clusters matched with words; and what a code table says."""

from collections.abc import Mapping

import numpy as np
import pytest

from isthmus.codes.reading.table import code_table
from isthmus.demo.code_data import labelled_galleries, labelled_training
from isthmus.demo.digits import DigitsDemo
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.items import digits_in
from isthmus.worlds.world import Sizes
from worlds.sinkhorn_codes import SinkhornCodes, sinkhorn, sinkhorn_clusters
from worlds.window_codes import WindowCodes

Galleries = Mapping[str, Mapping[str, LabelledTokens]]


@pytest.fixture(scope="module")
def judged(digits: DigitsWorld) -> tuple[dict[str, LabelledTokens], Galleries]:
    world = digits.world("dev", Sizes(texts=10, memory=150, pairs=0, gallery=60))
    return labelled_training(DigitsDemo(digits), world), {"seen": labelled_galleries(DigitsDemo(digits), world)["seen"]}


@pytest.mark.slow
def test_windows_name_what_they_show(digits: DigitsWorld, judged: tuple[dict[str, LabelledTokens], Galleries]) -> None:
    found = code_figures(WindowCodes(digits).token_codes, *judged)
    assert found["transfer.image_to_audio.seen"] > 0.85
    assert found["transfer.text_to_image.seen"] > 0.85
    assert found["pointing.text_to_audio.seen"] > 0.85


@pytest.mark.slow
def test_clusters_find_their_words(digits: DigitsWorld, judged: tuple[dict[str, LabelledTokens], Galleries]) -> None:
    taught, asked = judged
    clusters = {}
    for name in ("image", "audio"):
        tokens = taught[name].tokens
        counts = np.array([np.bincount(digits_in(item), minlength=10) for item in tokens.ids], float)
        clusters[name] = sinkhorn_clusters(tokens, counts / counts.sum(1, keepdims=True), count=40)
    items = {name: taught[name] for name in clusters}
    gallery = {"seen": {name: asked["seen"][name] for name in clusters}}
    found = code_figures(SinkhornCodes(clusters).token_codes, items, gallery)
    assert found["transfer.image_to_audio.seen"] > 0.6
    assert found["same_top_code.seen"] >= 0.7


def test_sinkhorn_gives_every_cluster_and_every_word_the_same_weight() -> None:
    together = np.random.default_rng(0).random((12, 4)) + 0.05
    together[:, 0] *= 20
    found = sinkhorn(together)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(found.sum(0), 3, rtol=1e-3)
    ratio = found / together
    np.testing.assert_allclose(ratio[1] / ratio[0], np.full(4, (ratio[1] / ratio[0])[0]), rtol=1e-6)


def test_a_code_table_counts_precision_recall_and_use() -> None:
    codes = {"image": np.array([0, 0, 1, 1, 1, 2]), "audio": np.array([0, 1, 2, 2])}
    labels = {"image": np.array([5, 5, 3, 3, -1, -1]), "audio": np.array([5, 3, -1, -1])}
    rows = code_table(codes, labels, 4)
    assert [(row.code, row.label) for row in rows] == [(1, 3), (0, 5), (2, -1)]
    three = rows[0]
    assert three.precision == {"image": pytest.approx(2 / 3), "audio": 1.0}
    assert three.recall == {"image": 1.0, "audio": 1.0}
    assert three.use == {"image": 0.5, "audio": 0.25}
    assert three.f1("image") == pytest.approx(0.8)


def test_windows_cover_every_token(digits: DigitsWorld, judged: tuple[dict[str, LabelledTokens], Galleries]) -> None:
    writer = WindowCodes(digits)
    for own in judged[0].values():
        tokens: Tokens = own.tokens.take(np.arange(5))
        found = writer.token_codes(tokens)
        assert found.shape == (int(tokens.counts.sum()), 10)
        np.testing.assert_allclose(np.exp(found).sum(1), 1, rtol=1e-4)
