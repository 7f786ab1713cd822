"""Changes of worlds of real vectors do what their names say, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from real_files import write_real_files
from worlds.real import animals, miniclip
from worlds.real_variants import (
    false_counterparts,
    ids_shuffled,
    other_content,
    quantised,
    reduced,
    topics_dropped,
    variants,
)
from worlds.real_world import RealWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> RealWorld:
    return miniclip(write_real_files(tmp_path_factory.mktemp("real")), 0)


def rows(world: RealWorld, side: int, modality: str) -> dict[str, np.ndarray]:
    own = world.sides[side][modality]
    return dict(zip(own.ids, own.vectors, strict=True))


def test_a_dropped_topic_leaves_the_other_side_and_the_gallery(world: RealWorld) -> None:
    changed = topics_dropped(world, 0, sides=(0,), share=0.5)
    assert set(rows(changed, 0, "image")) < set(rows(world, 0, "image"))
    assert changed.sides[1] == world.sides[1]
    assert changed.sides[0]["text"] is world.sides[0]["text"]
    assert changed.left is world.left


def test_dropped_topics_are_what_the_kept_items_are_least_like(world: RealWorld) -> None:
    """A kept item is nearer to the kept ones than at random: clusters go as a whole."""
    kept = list(rows(topics_dropped(world, 0, sides=(0,), share=0.5), 0, "image"))
    before = rows(world, 0, "image")
    vectors = np.stack([*before.values()])
    vectors -= vectors.mean(0)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.array(list(before))[likeness.argmax(1)]
    own = np.isin(list(before), kept)
    assert np.isin(nearest[own], kept).mean() > 1.2 * len(kept) / len(before)


def test_other_content_leaves_no_item_whose_caption_connects(world: RealWorld) -> None:
    changed = other_content(world, 0)
    texts = set(rows(changed, 0, "text"))
    assert texts == set(rows(changed, 1, "text"))
    both = [len(texts & set(rows(changed, side, "image"))) / len(rows(changed, side, "image")) for side in (0, 1)]
    assert max(both) < 0.4
    assert len(rows(changed, 0, "image")) > 10


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_a_share_of_the_ids_is_wrong_on_the_right_side(world: RealWorld, share: float) -> None:
    changed = ids_shuffled(world, 0, share=share)
    before, after = rows(world, 1, "text"), rows(changed, 1, "text")
    assert set(before) == set(after)
    assert np.mean([not np.array_equal(before[name], after[name]) for name in before]) == share
    assert changed.sides[0] == world.sides[0]


def test_false_counterparts_share_ids_and_no_item(world: RealWorld) -> None:
    changed = false_counterparts(world, 0)
    left, right = rows(changed, 0, "text"), rows(changed, 1, "text")
    before = {vector.tobytes(): name for name, vector in rows(world, 1, "text").items()}
    assert set(left) == set(right)
    assert not set(left) & {before[vector.tobytes()] for vector in right.values()}


@pytest.mark.parametrize("rank", [3, 10])
def test_a_reduced_space_varies_in_as_many_directions(world: RealWorld, rank: int) -> None:
    """Rows are scaled to unit length, which bends the space by one more direction, the mean's."""
    changed = reduced(world, side=0, rank=rank)
    images = np.concatenate([changed.left.vectors, changed.sides[0]["image"].vectors])
    assert np.linalg.matrix_rank(images, tol=1e-4) == rank + 1
    assert images.shape[1] == world.left.dim
    assert changed.right is world.right


def test_int8_keeps_rows_within_a_step_of_127(world: RealWorld) -> None:
    changed = quantised(world)
    for before, after in ((world.left, changed.left), (world.sides[1]["text"], changed.sides[1]["text"])):
        largest = np.abs(before.vectors).max(1, keepdims=True)
        assert np.abs(before.vectors - after.vectors).max() > 0
        assert (np.abs(before.vectors - after.vectors) <= largest / 127).all()


def test_each_variant_has_a_name_a_change_and_the_family(world: RealWorld, tmp_path: Path) -> None:
    for own in (world, animals(write_real_files(tmp_path), 1)):
        found = list(variants(own, 0))
        assert len({each.name for each in found}) == len(found) == 11
        for each in found:
            assert each.name == f"{own.name}, {each.change}"
            assert each.family == own.family
            assert (each.relevant == own.relevant).all()
