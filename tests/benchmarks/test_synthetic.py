"""Synthetic worlds and the bank: what each recipe promises holds in what it draws."""

from dataclasses import replace

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.worlds.world import World
from worlds.bank import bank_world
from worlds.synthetic import SyntheticRecipe, synthetic_world

SMALL = SyntheticRecipe(texts=400, memory=300, gallery=100)


def draw(recipe: SyntheticRecipe, seed: int = 0) -> World:
    return synthetic_world("own", recipe, seed)


def test_the_same_seed_draws_the_same_world_and_another_seed_another() -> None:
    first, second, other = draw(SMALL), draw(SMALL), draw(SMALL, seed=1)
    np.testing.assert_array_equal(first.left["image"].vectors, second.left["image"].vectors)
    assert not np.allclose(first.left["image"].vectors, other.left["image"].vectors)


def gap_of(own: World) -> float:
    return float(np.linalg.norm(own.left["text"].vectors.mean(0) - own.left["image"].vectors.mean(0)))


def test_a_larger_gap_sets_items_farther_from_texts() -> None:
    assert gap_of(draw(replace(SMALL, gap=0.0))) < 0.15 < gap_of(draw(SMALL)) < gap_of(draw(replace(SMALL, gap=2.0)))


def test_low_rank_leaves_few_directions() -> None:
    def directions(own: World) -> float:
        values = np.linalg.eigvalsh(np.cov(own.left["text"].vectors.T))
        return float(values.sum() ** 2 / (values**2).sum())

    assert directions(draw(replace(SMALL, ranks=(8, 8), nonlinear=0.0, text_noise=(0.1, 0.1)))) < directions(
        draw(SMALL)
    )


def twin_retrieval(own: World, right_texts: np.ndarray) -> float:
    """How often the least-squares image of a left text is nearest to its own right text."""
    left = own.left["text"].vectors
    weights, *_ = np.linalg.lstsq(left, right_texts, rcond=None)
    return float((((left @ weights) @ right_texts.T).argmax(1) == np.arange(len(left))).mean())


def test_wrong_captions_take_the_asked_share_of_twins_apart() -> None:
    clean, wrong = (draw(replace(SMALL, texts=1500, caption_noise=noise)) for noise in (0.0, 0.5))
    found = [twin_retrieval(own, own.right["text"].vectors) for own in (clean, wrong)]
    assert found[1] / found[0] == pytest.approx(0.5, abs=0.12)


def test_items_of_one_topic_belong_together_where_labels_are_topics() -> None:
    (gallery,) = draw(replace(SMALL, topics=10, by_topic=True)).galleries.values()
    assert len(np.unique(gallery.left_concepts)) <= 10
    assert gallery.relevant().sum(1).mean() > 5


def test_a_memory_of_other_content_is_far_from_the_texts() -> None:
    def nearest(own: World) -> float:
        centred = [rows.vectors - rows.vectors.mean(0) for rows in (own.left["text"], own.left["image"])]
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in centred]
        return float((unit[0] @ unit[1].T).max(1).mean())

    covered, other = (draw(replace(SMALL, topics=30, cover=cover)) for cover in ("all", "other"))
    assert nearest(other) < nearest(covered) - 0.05


def test_the_bank_opens_its_worlds_by_name() -> None:
    few, shifted = bank_world("300 texts", seed=2), bank_world("new content")
    assert (few.family, len(few.world.left["text"]), few.shifted) == ("few texts", 300, False)
    assert shifted.shifted
    with pytest.raises(IsthmusError, match="no world 'sunny' in the bank"):
        bank_world("sunny")
