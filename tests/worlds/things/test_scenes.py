"""Scenes of the things world: numbers, splits, near misses."""

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things import scenes as module
from isthmus.worlds.things.scenes import (
    MAX_THINGS,
    Scenes,
    draw_hard,
    draw_scenes,
    near_misses,
    random_scenes,
    scenes_of,
    split_of,
)
from isthmus.worlds.things.things import things


@pytest.fixture(scope="module")
def many() -> Scenes:
    return random_scenes(20_000, np.random.default_rng(0))


def groups_of(scenes: Scenes, row: int) -> list[tuple[int, int, int, int]]:
    columns = (scenes.thing[row], scenes.count[row], scenes.size[row], scenes.tint[row])
    return [tuple(group) for group in np.stack(columns, axis=1).tolist() if group[0] >= 0]


def test_a_concept_number_holds_the_whole_scene(many: Scenes) -> None:
    again = scenes_of(many.concepts())
    for name in ("thing", "count", "size", "tint"):
        np.testing.assert_array_equal(getattr(again, name), getattr(many, name))


def test_a_scene_has_distinct_things_and_at_most_four_drawings(many: Scenes) -> None:
    for row in range(2000):
        named = [group[0] for group in groups_of(many, row)]
        assert len(set(named)) == len(named) >= 1
        assert 1 <= many.count[row].sum() <= MAX_THINGS
        assert all(count >= 1 for _, count, _, _ in groups_of(many, row))


def test_scenes_of_the_same_things_are_in_one_split_in_any_order_and_with_any_attributes(many: Scenes) -> None:
    several = many[np.flatnonzero(many.present[:, 1])]
    other = random_scenes(len(several), np.random.default_rng(1))
    present = several.present
    changed = Scenes(
        several.thing,
        np.where(present, 1, 0),
        np.where(present, np.maximum(other.size, 0), 0),
        np.where(present, other.tint, 0),
    )
    np.testing.assert_array_equal(split_of(several, 0), split_of(changed, 0))
    two = np.flatnonzero(~several.present[:, 2])
    order = np.tile([1, 0, 2], (len(two), 1))
    np.testing.assert_array_equal(split_of(several[two], 0), split_of(several[two].in_order(order), 0))


def test_splits_have_their_shares_and_depend_on_the_seed(many: Scenes) -> None:
    shares = np.bincount(split_of(many, 0), minlength=3) / len(many)
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.01)
    assert 0.5 < (split_of(many, 0) == split_of(many, 1)).mean() < 0.8


def test_a_near_miss_differs_in_one_thing_one_count_or_the_order_of_two_groups(many: Scenes) -> None:
    misses = near_misses(many, np.random.default_rng(2))
    kinds = {"thing": 0, "count": 0, "order": 0}
    for row in range(3000):
        before, after = groups_of(many, row), groups_of(misses, row)
        assert len(before) == len(after)
        if sorted(before) == sorted(after):
            kinds["order"] += 1
            assert sum(one != other for one, other in zip(before, after, strict=True)) == 2
            continue
        (changed,) = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
        (thing, count, *rest), (other, other_count, *other_rest) = changed
        assert rest == other_rest
        kinds["thing" if thing != other else "count"] += 1
        assert (thing != other) + (count != other_count) == 1
        assert abs(count - other_count) <= 1
        assert after.count(changed[1]) == 1
        assert sum(number for _, number, _, _ in after) <= MAX_THINGS
    assert min(kinds.values()) > 600


def test_a_thing_is_often_exchanged_for_one_that_looks_alike(many: Scenes) -> None:
    misses = near_misses(many, np.random.default_rng(3))
    near = np.array([thing.near for thing in things()])
    rows, places = np.nonzero((many.thing != misses.thing) & (np.sort(many.thing) != np.sort(misses.thing)))
    old, new = near[many.thing[rows, places]], near[misses.thing[rows, places]]
    similar = (old == new)[old != ""]
    assert 0.3 < similar.mean() < 0.7


def test_drawn_scenes_are_distinct_and_allowed() -> None:
    def of_test(scenes: Scenes) -> np.ndarray:
        return split_of(scenes, 0) == 2

    for draw in (draw_scenes, draw_hard):
        drawn = draw(500, of_test, np.random.default_rng(4))
        assert len(np.unique(drawn.concepts())) == 500
        assert of_test(drawn).all()


def test_scenes_are_drawn_among_a_few_things_or_refused() -> None:
    def of_test(scenes: Scenes) -> np.ndarray:
        return split_of(scenes, 0) == 2

    few = np.array([7, 90, 200, 300, 301])
    drawn = draw_scenes(200, of_test, np.random.default_rng(6), few)
    assert set(drawn.thing.ravel().tolist()) <= {-1, *few.tolist()}
    ordered = np.sort(drawn.thing, axis=1)
    assert not ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any()
    assert of_test(drawn).all()
    # One thing has 36 scenes, by count, size and tint; about four of them are for testing.
    with pytest.raises(IsthmusError, match="of 20 scenes: add drawings or recordings of more things"):
        draw_scenes(20, of_test, np.random.default_rng(6), few[:1])


def test_a_hard_gallery_is_mostly_families_of_near_misses() -> None:
    drawn = draw_hard(300, lambda scenes: np.ones(len(scenes), bool), np.random.default_rng(5))
    sets = [frozenset(group[0] for group in groups_of(drawn, row)) for row in range(300)]
    with_kin = [
        any(len(mine ^ other) <= 2 and mine & other for place, other in enumerate(sets) if place != row)
        for row, mine in enumerate(sets)
        if len(mine) > 1
    ]
    plain = draw_scenes(300, lambda scenes: np.ones(len(scenes), bool), np.random.default_rng(5))
    assert np.mean(with_kin) > 0.6
    assert len(plain) == 300
    assert module.HARD_SHARE == 0.75
