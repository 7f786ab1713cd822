"""Chaining against a loop over queries; the oracle against what it must beat and what it may not see."""

from dataclasses import replace

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.connectors.config import CcaConfig, CmcrConfig
from isthmus.embeddings import Embeddings
from isthmus.evaluate import by_cosine, chain, evaluate_galleries, fit_oracle, soft_chain
from isthmus.training.config import OptimisationConfig
from isthmus.worlds.world import World

BRIEF = CmcrConfig(projector="linear", optimisation=OptimisationConfig(epochs=1, min_steps=100, learning_rate=0.03))


def counterpart_rows(world: World) -> tuple[np.ndarray, np.ndarray]:
    left, right = world.left["text"], world.right["text"]
    return left.vectors.astype(np.float64), right.select(left.ids).vectors.astype(np.float64)


def looped_chain(queries: Embeddings, items: Embeddings, texts: np.ndarray, counterparts: np.ndarray) -> np.ndarray:
    scores = np.empty((len(queries), len(items)))
    for row, query in enumerate(queries.vectors.astype(np.float64)):
        nearest = max(range(len(texts)), key=lambda text: texts[text] @ query)
        scores[row] = [item @ counterparts[nearest] for item in items.vectors.astype(np.float64)]
    return scores


def looped_soft_chain(
    queries: Embeddings, items: Embeddings, texts: np.ndarray, counterparts: np.ndarray
) -> np.ndarray:
    scores = np.empty((len(queries), len(items)))
    for row, query in enumerate(queries.vectors.astype(np.float64)):
        weights = [np.exp((text @ query) / 0.01) for text in texts]
        mean = sum(weight * counterpart for weight, counterpart in zip(weights, counterparts, strict=True)) / sum(
            weights
        )
        scores[row] = [item @ mean / np.linalg.norm(mean) for item in items.vectors.astype(np.float64)]
    return scores


@pytest.mark.parametrize("block_bytes", [1, 2**20])
@pytest.mark.parametrize(("matcher", "looped"), [(chain, looped_chain), (soft_chain, looped_soft_chain)])
def test_chaining_follows_ids_in_both_directions(
    shuffled_world: World, matcher, looped, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
    gallery = shuffled_world.galleries["seen"]
    left, right = counterpart_rows(shuffled_world)
    match = matcher(shuffled_world)
    there = np.concatenate(list(match(gallery.left, gallery.right)))
    back = np.concatenate(list(match(gallery.right, gallery.left)))
    np.testing.assert_allclose(there, looped(gallery.left, gallery.right, left, right), atol=1e-5)
    np.testing.assert_allclose(back, looped(gallery.right, gallery.left, right, left), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("config", [CcaConfig(source="overlap"), BRIEF], ids=["closed form", "trained"])
def test_the_oracle_learns_from_pairs_alone(world: World, config: CcaConfig | CmcrConfig) -> None:
    oracle = fit_oracle(world, config, seed=0)
    assert evaluate_galleries(by_cosine(oracle.project), world.galleries)["seen.r1"] > 90

    draw = np.random.default_rng(0)
    assert world.pairs is not None
    broken = replace(world, pairs=(world.pairs[0], world.pairs[1].take(draw.permutation(300))))
    lost = fit_oracle(broken, config, seed=0)
    assert evaluate_galleries(by_cosine(lost.project), world.galleries)["seen.r1"] < 25


def test_the_oracle_projects_both_spaces_and_says_what_it_is(world: World) -> None:
    oracle = fit_oracle(world, CcaConfig(source="overlap"), seed=3)
    assert (oracle.left_space, oracle.right_space) == ("images", "sounds")
    assert oracle.config["method"] == "oracle"
    assert oracle.project(world.left["image"]).space == oracle.project(world.right["audio"]).space


def test_a_world_without_pairs_has_no_oracle(world: World) -> None:
    with pytest.raises(IsthmusError, match="world 'small' has no true pairs: the paired oracle cannot be fitted"):
        fit_oracle(replace(world, pairs=None), BRIEF, seed=0)
