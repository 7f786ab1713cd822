"""Retrieval between two modalities: ranks of every query's items, in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.base.space_names import shared_space
from isthmus.evaluate.annotations.data import DataItem, Pairs
from isthmus.evaluate.running.figures import Subset, intervals_of
from isthmus.evaluate.running.sources import Found
from isthmus.evaluate.running.views import SpacePair
from isthmus.metrics.blocks import score_blocks
from isthmus.metrics.ranks import chance_of_recall, relevant_ranks

KS = (1, 5, 10)


@dataclass(frozen=True)
class Ranked:
    """One side of a view: the entries that have a counterpart, their groups by number and their projected rows."""

    entries: list[DataItem]
    groups: np.ndarray
    rows: Float[np.ndarray, "entries dim"]


def retrieval_subset(pairs: Pairs, view: SpacePair, left: Found, right: Found) -> Subset:
    """The figures of one view in both directions.

    Only items whose counterpart was found take part, as queries and as gallery: a caption without a clip, or a clip
    without captions, does not make the others harder to find.
    """
    one, other = _sides(pairs, view, left, right)
    names = list(pairs.sides)
    figures: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}
    ways = {f"{names[0]}_to_{names[1]}": (one, other), f"{names[1]}_to_{names[0]}": (other, one)}
    scores = {way: _scores(queries, items) for way, (queries, items) in ways.items()}
    for way, (queries, _) in ways.items():
        own, ranks = scores[way]
        groups = [entry.group for entry in queries.entries]
        figures |= {f"{way}.{name}": float(values.mean()) for name, values in own.items()}
        figures[f"{way}.median_rank"] = float(np.median(ranks))
        intervals |= {f"{way}.{name}": value for name, value in intervals_of(own, groups).items()}
    both = [scores[way][0] for way in ways]
    for name in both[0]:
        figures[name] = (float(both[0][name].mean()) + float(both[1][name].mean())) / 2
    for k in KS:
        figures[f"chance.r{k}"] = float(np.mean([_chance(*sides, k) for sides in ways.values()]))
    figures["median_rank"] = float(np.mean([figures[f"{way}.median_rank"] for way in ways]))
    intervals |= _intervals_of_both(list(ways.values()), both)
    facts = {"items": {names[0]: len(one.entries), names[1]: len(other.entries)}}
    return Subset(view.name, figures, intervals, facts)


def scored_groups(pairs: Pairs, left: Found, right: Found) -> set[str]:
    """The groups that have a vector on both sides."""
    sides = zip(pairs.sides.values(), (left, right), strict=True)
    return set.intersection(*({own.group for own in entries if own.id in found.row_of} for entries, found in sides))


def expected_groups(pairs: Pairs) -> set[str]:
    """The groups that the annotations have on both sides."""
    return set.intersection(*({own.group for own in entries} for entries in pairs.sides.values()))


def _sides(pairs: Pairs, view: SpacePair, left: Found, right: Found) -> tuple[Ranked, Ranked]:
    """Both sides of a view, of the groups that both have."""
    both = scored_groups(pairs, left, right)
    if not both:
        raise IsthmusError("no item of the task was found in both modalities: see what --check says")
    number = {group: place for place, group in enumerate(sorted(both))}
    ranked, spaces = [], []
    for entries, found in zip(pairs.sides.values(), (left, right), strict=True):
        kept = [own for own in entries if own.id in found.row_of and own.group in both]
        rows, space = view.rows(found, [own.id for own in kept])
        ranked.append(Ranked(kept, np.array([number[own.group] for own in kept]), rows))
        spaces.append(space)
    if shared_space(*spaces) is None:
        raise IsthmusError(f"the two modalities are in {spaces[0]!r} and {spaces[1]!r}: give a connector of both")
    return ranked[0], ranked[1]


def _scores(queries: Ranked, items: Ranked) -> tuple[dict[str, Float[np.ndarray, " queries"]], np.ndarray]:
    """R@k, reciprocal rank and average precision of each query, and the rank of its first relevant item."""
    ranks: list[np.ndarray] = []
    for block, scores in score_blocks(queries.rows, items.rows):
        ranks += relevant_ranks(scores, queries.groups[block, None] == items.groups[None, :])
    first = np.array([own[0] for own in ranks])
    precision = np.array([float(np.mean(np.arange(1, len(own) + 1) / own)) for own in ranks])
    found = {f"r{k}": (first <= k).astype(np.float64) for k in KS}
    return found | {"map": precision, "mrr": 1 / first}, first


def _chance(queries: Ranked, items: Ranked, k: int) -> float:
    """R@k of a random order of the items."""
    relevant = np.bincount(items.groups, minlength=int(queries.groups.max()) + 1)[queries.groups]
    return float(chance_of_recall(relevant, len(items.groups), k).mean())


def _intervals_of_both(
    ways: Sequence[tuple[Ranked, Ranked]], scores: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, tuple[float, float]]:
    """Intervals of the mean of both directions: each group's queries of a direction are first reduced to their mean.

    A group is a clip with its captions, so drawing groups draws both directions at once. With several queries per group
    every group has as many, or nearly, so the mean of means is the mean.
    """
    groups = len(ways[0][0].groups) and int(ways[0][0].groups.max()) + 1
    means = []
    for (queries, _), own in zip(ways, scores, strict=True):
        counts = np.bincount(queries.groups, minlength=groups)
        means.append({name: np.bincount(queries.groups, values, groups) / counts for name, values in own.items()})
    return intervals_of({name: (means[0][name] + means[1][name]) / 2 for name in means[0]})
