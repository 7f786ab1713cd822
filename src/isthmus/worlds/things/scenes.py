"""Scenes: one to three groups of things from left to right, their numbers, their splits, and how they are drawn.

A group is a thing with a count (1 to 3), a size (`SIZES`) and a tint (`TINTS`). A scene's concept number packs its
groups, so two scenes are counterparts if and only if their numbers agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.things import things

MAX_GROUPS, MAX_COUNT, MAX_THINGS = 3, 3, 4
SIZES = ("", "small", "large")
TINTS = ("", "red", "green", "blue")
SPLITS = ("train", "dev", "test")
GROUP_SHARES = (0.15, 0.50, 0.35)
"""How often a scene has one, two or three groups."""
COUNT_SHARES = (0.70, 0.20, 0.10)
SIZE_SHARES = (0.50, 0.25, 0.25)
TINT_SHARES = (0.61, 0.13, 0.13, 0.13)
HARD_SHARE, MISSES_EACH = 0.75, 2
"""Share of a hard gallery that is near misses and the scenes they were made of, and near misses of each scene."""
NEAR_SHARE = 0.5
"""How often an exchanged thing becomes one that is easily taken for it, if there is one."""
TRIES = 1000
"""Random scenes tried for each one wanted, of which at least one in a hundred or so is allowed."""
NONE = -1
_ATTRIBUTES = MAX_COUNT * len(SIZES) * len(TINTS)
Allowed = Callable[["Scenes"], Bool[np.ndarray, " n"]]


@dataclass(frozen=True)
class Scenes:
    """Many scenes: ``(n, 3)`` arrays with one column per group; ``thing`` is -1 where there is no further group.

    ``count`` is 1 to 3; ``size`` and ``tint`` are places in `SIZES` and `TINTS`. All are 0 where there is no group.
    """

    thing: Int[np.ndarray, "n 3"]
    count: Int[np.ndarray, "n 3"]
    size: Int[np.ndarray, "n 3"]
    tint: Int[np.ndarray, "n 3"]

    def __len__(self) -> int:
        return len(self.thing)

    def __getitem__(self, rows: slice | np.ndarray) -> Scenes:
        return Scenes(self.thing[rows], self.count[rows], self.size[rows], self.tint[rows])

    @property
    def present(self) -> Bool[np.ndarray, "n 3"]:
        """Which groups there are."""
        return self.thing >= 0

    def concepts(self) -> Int[np.ndarray, " n"]:
        """The number of each scene."""
        group = ((self.thing * MAX_COUNT + self.count - 1) * len(SIZES) + self.size) * len(TINTS) + self.tint + 1
        group = np.where(self.present, group, 0)
        base = _base()
        return group[:, 0] + base * (group[:, 1] + base * group[:, 2])

    def in_order(self, order: Int[np.ndarray, "n 3"]) -> Scenes:
        """The same groups in another order, from left to right."""
        columns = (self.thing, self.count, self.size, self.tint)
        return Scenes(*(np.take_along_axis(column, order, axis=1) for column in columns))


def _base() -> int:
    return len(things()) * _ATTRIBUTES + 1


def scenes_of(concepts: Int[np.ndarray, " n"]) -> Scenes:
    """The inverse of `Scenes.concepts`."""
    base = _base()
    group = np.stack([concepts // base**place % base for place in range(MAX_GROUPS)], axis=1)
    packed = np.maximum(group - 1, 0)
    present = group > 0
    tint, rest = packed % len(TINTS), packed // len(TINTS)
    size, rest = rest % len(SIZES), rest // len(SIZES)
    count, thing = rest % MAX_COUNT + 1, rest // MAX_COUNT
    return Scenes(np.where(present, thing, NONE), *(np.where(present, column, 0) for column in (count, size, tint)))


def joined(parts: list[Scenes]) -> Scenes:
    """The scenes of all parts, one after another."""
    names = ("thing", "count", "size", "tint")
    return Scenes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def random_scenes(count: int, rng: np.random.Generator, among: Int[np.ndarray, " some"] | None = None) -> Scenes:
    """Scenes with shares as above: distinct things in each, of all or ``among`` some, and at most four drawings."""
    among = np.arange(len(things())) if among is None else among
    groups = np.minimum(rng.choice(MAX_GROUPS, count, p=GROUP_SHARES) + 1, len(among))
    thing = rng.integers(0, len(among), (count, MAX_GROUPS))
    for place in range(1, MAX_GROUPS):
        # A repeated thing moves on by one, at most twice for the third group: all three end up distinct.
        for _ in range(place):
            repeats = (thing[:, place, None] == thing[:, :place]).any(1)
            thing[:, place] = np.where(repeats, (thing[:, place] + 1) % len(among), thing[:, place])
    present = np.arange(MAX_GROUPS) < groups[:, None]
    counts = rng.choice(MAX_COUNT, (count, MAX_GROUPS), p=COUNT_SHARES) + 1
    size = rng.choice(len(SIZES), (count, MAX_GROUPS), p=SIZE_SHARES)
    tint = rng.choice(len(TINTS), (count, MAX_GROUPS), p=TINT_SHARES)
    return Scenes(
        np.where(present, among[thing], NONE), _few_enough(np.where(present, counts, 0)), size * present, tint * present
    )


def _few_enough(counts: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, "n 3"]:
    """Counts lowered from the right until a scene has no more than `MAX_THINGS` drawings."""
    counts = counts.copy()
    for place in reversed(range(MAX_GROUPS)):
        excess = np.maximum(counts.sum(1) - MAX_THINGS, 0)
        counts[:, place] -= np.minimum(excess, np.maximum(counts[:, place] - 1, 0))
    return counts


def split_of(scenes: Scenes, seed: int) -> Int[np.ndarray, " n"]:
    """The split of each scene, as a place in `SPLITS`: 80, 10 and 10 %.

    Scenes of the same things fall into one split, whatever their order and attributes, so a test gallery can hold
    near misses of its own scenes and training has seen none of them. Scenes of one thing are split by attributes.
    """
    ordered = np.sort(scenes.thing, axis=1).astype(np.uint64) + np.uint64(1)
    mixed = _mixed(np.full(len(scenes), seed, np.uint64))
    for column in ordered.T:
        mixed = _mixed(mixed ^ column)
    alone = ~scenes.present[:, 1]
    mixed = np.where(alone, _mixed(mixed ^ scenes.concepts().astype(np.uint64)), mixed)
    share = mixed.astype(np.float64) / 2.0**64
    return np.where(share < 0.8, 0, np.where(share < 0.9, 1, 2))


def _mixed(values: np.ndarray) -> np.ndarray:
    """A hash of 64-bit numbers (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def draw_scenes(
    count: int, allowed: Allowed, rng: np.random.Generator, among: Int[np.ndarray, " some"] | None = None
) -> Scenes:
    """Random scenes of all things, or ``among`` some, that are ``allowed``, all distinct.

    Raises:
        IsthmusError: There are too few such scenes.
    """
    found, tried = random_scenes(0, rng, among), 0
    while len(found) < count:
        if tried > TRIES * (count + 1):
            raise IsthmusError(
                f"the things that can be shown and said make {len(found)} of {count} scenes: "
                "add drawings or recordings of more things"
            )
        more = random_scenes(2 * (count - len(found)) + 16, rng, among)
        tried += len(more)
        found = _distinct(joined([found, more[np.flatnonzero(allowed(more))]]))
    return found[:count]


def draw_hard(count: int, allowed: Allowed, rng: np.random.Generator) -> Scenes:
    """As `draw_scenes`, three quarters of them in families: a scene and two of its near misses."""
    families = round(count * HARD_SHARE / (1 + MISSES_EACH))
    found = draw_scenes(count - MISSES_EACH * families, allowed, rng)
    heads = found[np.arange(families)]
    while len(found) < count:
        misses = near_misses(heads, rng)
        found = _distinct(joined([found, misses[np.flatnonzero(allowed(misses))]]))
    return found[:count][rng.permutation(count)]


def _distinct(scenes: Scenes) -> Scenes:
    _, first = np.unique(scenes.concepts(), return_index=True)
    return scenes[np.sort(first)]


def near_misses(scenes: Scenes, rng: np.random.Generator) -> Scenes:
    """For each scene one that differs in one thing, in one count, or in the order of two groups, as often each.

    A count changes by one. Where it cannot change, or there is no second group, a thing is exchanged instead.
    """
    kind = rng.integers(0, 3, len(scenes))
    groups = scenes.present.sum(1)
    place = rng.integers(0, groups)
    rows = np.arange(len(scenes))
    own = scenes.count[rows, place]
    room = scenes.count.sum(1) < MAX_THINGS
    up = room & (own < MAX_COUNT) & ((own == 1) | (rng.random(len(scenes)) < 0.5))
    fixed = ~up & (own == 1)
    kind = np.where(((kind == 1) & fixed) | ((kind == 2) & (groups == 1)), 0, kind)
    thing, count = scenes.thing.copy(), scenes.count.copy()
    thing[rows, place] = np.where(kind == 0, _other_things(scenes, place, rng), thing[rows, place])
    count[rows, place] = np.where(kind == 1, np.where(up, own + 1, own - 1), own)
    changed = Scenes(thing, count, scenes.size, scenes.tint)
    order = np.tile(np.arange(MAX_GROUPS), (len(scenes), 1))
    first = np.minimum(place, groups - 2)
    swaps = np.flatnonzero(kind == 2)
    order[swaps, first[swaps]], order[swaps, first[swaps] + 1] = first[swaps] + 1, first[swaps]
    return changed.in_order(order)


def _other_things(scenes: Scenes, place: Int[np.ndarray, " n"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """A thing to exchange for the one at ``place``, and not in the scene already."""
    own = scenes.thing[np.arange(len(scenes)), place]
    members, start, size = _near_groups()
    similar = members[start[own] + (rng.random(len(own)) * size[own]).astype(np.int64)]
    anything = rng.integers(0, len(things()), len(own))
    other = np.where(rng.random(len(own)) < NEAR_SHARE, similar, anything)
    for _ in range(MAX_GROUPS):
        other = np.where((other[:, None] == scenes.thing).any(1), (other + 1) % len(things()), other)
    return other


def _near_groups() -> tuple[Int[np.ndarray, " members"], Int[np.ndarray, " things"], Int[np.ndarray, " things"]]:
    """The groups of look-alikes, one after another; where each thing's group starts; and its size (alone: 1)."""
    names = np.array([thing.near or f"alone {number}" for number, thing in enumerate(things())])
    _, group, size = np.unique(names, return_inverse=True, return_counts=True)
    start = np.cumsum(size) - size
    return np.argsort(group, kind="stable"), start[group], size[group]


def share_with(scenes: Scenes, wanted: Int[np.ndarray, " some"]) -> Float[np.ndarray, " n"]:
    """The share of each scene's groups whose thing is among ``wanted``."""
    return (np.isin(scenes.thing, wanted) & scenes.present).sum(1) / scenes.present.sum(1)
