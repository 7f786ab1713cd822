"""The figures of a matcher against ranks counted item by item."""

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.evaluate import by_cosine, by_csls, evaluate_galleries
from isthmus.evaluate.matchers import Projection
from isthmus.search import Index
from isthmus.worlds.world import Gallery, World


def random_projection(world: World, seed: int = 0) -> Projection:
    draw = np.random.default_rng(seed)
    maps = {
        side["text"].space: draw.standard_normal((side["text"].dim, 5)).astype(np.float32)
        for side in (world.left, world.right)
    }

    def project(embeddings: Embeddings) -> Embeddings:
        rows = embeddings.vectors @ maps[embeddings.space]
        return Embeddings.from_array(rows, modality=embeddings.modality, space="joint", ids=embeddings.ids)

    return project


def counted(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    firsts, precisions = [], []
    for row, wanted in zip(scores, relevant, strict=True):
        order = sorted(range(len(row)), key=lambda item: (-row[item], wanted[item]))
        places = [place + 1 for place, item in enumerate(order) if wanted[item]]
        firsts.append(places[0])
        precisions.append(np.mean([(n + 1) / place for n, place in enumerate(places)]))
    rates = {f"r{k}": 100 * np.mean([first <= k for first in firsts]) for k in (1, 5, 10)}
    return rates | {
        "mrr": 100 * np.mean([1 / first for first in firsts]),
        "map": 100 * np.mean(precisions),
        "median_rank": float(np.median(firsts)),
    }


@pytest.mark.parametrize("block_bytes", [1, 4 * 40 * 7, 2**20])
def test_both_directions_and_their_mean_are_counted(
    world: World, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
    project, gallery = random_projection(world), world.galleries["seen"]
    found = evaluate_galleries(by_cosine(project), world.galleries)

    scores = project(gallery.left).vectors.astype(np.float64) @ project(gallery.right).vectors.astype(np.float64).T
    relevant = gallery.left_concepts[:, None] == gallery.right_concepts[None, :]
    there, back = counted(scores, relevant), counted(scores.T, relevant.T)
    expected = {f"seen.image_to_audio.{name}": value for name, value in there.items()}
    expected |= {f"seen.audio_to_image.{name}": value for name, value in back.items()}
    expected |= {f"seen.{name}": (there[name] + back[name]) / 2 for name in there}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("block_bytes", [1, 2**20])
def test_csls_ranks_like_the_index(world: World, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
    project, gallery = random_projection(world), world.galleries["seen"]
    images, sounds = project(gallery.left), project(gallery.right)
    scores = np.concatenate(list(by_csls(project)(gallery.left, gallery.right)))
    hits = Index(sounds).search(images, k=40, csls=True)
    np.testing.assert_allclose(np.take_along_axis(scores, hits.rows, 1), hits.scores, atol=1e-6)


def test_a_perfect_projection_scores_a_hundred(world: World) -> None:
    gallery = world.galleries["seen"]
    one_hot = {name: np.eye(20, dtype=np.float32)[gallery.left_concepts] for name in ("image", "audio")}

    def project(embeddings: Embeddings) -> Embeddings:
        return Embeddings.from_array(one_hot[embeddings.modality], modality=embeddings.modality, space="joint")

    figures = evaluate_galleries(by_cosine(project), world.galleries)
    assert {name: value for name, value in figures.items() if not name.endswith("median_rank")} == pytest.approx(
        dict.fromkeys((name for name in figures if not name.endswith("median_rank")), 100.0)
    )
    assert figures["seen.median_rank"] == 1


def test_raw_cosine_of_different_dimensions_is_refused(world: World) -> None:
    with pytest.raises(IsthmusError, match="image vectors have 10 dimensions, audio vectors 8: project both"):
        evaluate_galleries(by_cosine(), world.galleries)


def test_queries_without_counterpart_are_left_out(world: World) -> None:
    gallery = world.galleries["seen"]
    lonely = Gallery(gallery.left, gallery.right, np.where(np.arange(40) < 4, 99, gallery.left_concepts),
                     gallery.right_concepts)  # fmt: skip
    kept = np.arange(4, 40)
    fewer = Gallery(gallery.left.take(kept), gallery.right, gallery.left_concepts[kept], gallery.right_concepts)
    match = by_cosine(random_projection(world))
    name = "seen.image_to_audio.mrr"
    assert evaluate_galleries(match, {"seen": lonely})[name] == pytest.approx(
        evaluate_galleries(match, {"seen": fewer})[name]
    )
