"""Scores of unrelated items: for each pair of modalities, how high a cosine in the joint space is by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.base.space_names import shared_space
from isthmus.embeddings import Embeddings
from isthmus.metrics import ChanceNeighbours, ScoreDistribution
from isthmus.metrics.distribution import Scores

SAMPLE = 1000
"""Rows of each modality. All pairs of them, a million, give cut-offs to a false-positive rate of 1e-4."""
RELATED = 0.6
"""A larger share of mutual neighbours, in two sets of one size, means that they have counterparts: unrelated rows reach
about a half."""
Modality = tuple[str, str]
"""A modality and the space it comes from."""
Pair = tuple[Modality, Modality]


@dataclass(frozen=True)
class UnrelatedScores:
    """The distribution of the cosines of unrelated items in a joint space, for each pair of modalities.

    It makes cosines of different modalities comparable: `percentile` is the share of unrelated pairs that score lower.
    It comes with a connector (`Connector.scores`), measured on its overlap and memories, and holds for items like
    those. For others measure it with `of` on the queries and the gallery. It is symmetric.

    A modality is named "image", or "text of clip" if it comes from both spaces.

    Args:
        space: The joint space.
        tables: The distributions, by pair of (modality, space); the pair is in order.
        neighbours: How often unrelated items are each other's nearest, by pair of two different ones.

    Example:
        >>> import isthmus, numpy as np
        >>> draw = np.random.default_rng(0)
        >>> def rows(modality):
        ...     vectors = draw.standard_normal((500, 8))
        ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space="joint")
        >>> scores = UnrelatedScores.of(rows("image"), rows("audio"))
        >>> round(scores.percentile(0.5, ("image", "audio")), 2), round(scores.cutoff(0.01, ("image", "audio")), 1)
        (0.92, 0.8)
    """

    space: str = ""
    tables: Mapping[Pair, ScoreDistribution] = field(default_factory=dict)
    neighbours: Mapping[Pair, ChanceNeighbours] = field(default_factory=dict)

    @classmethod
    def of(cls, *parts: Embeddings) -> UnrelatedScores:
        """Measure projected embeddings, all of one joint space: every pair of parts, and each part with itself.

        At most 1000 rows of each are compared, all with all, except those with equal ids. Two items of different
        modalities are taken to be unrelated; if a share c of the pairs is related after all, cut-offs are too high
        rather than too low: the false-positive rate of a cut-off is at most 1 / (1 - c) times the one asked for.

        Args:
            parts: Unit rows, one `Embeddings` for each modality of each space.

        Raises:
            IsthmusError: The parts are of different joint spaces, or two of them are of one modality and space.
        """
        return measured([spaced_sample(part) for part in parts])

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities."""
        return tuple(self._short(own) for own in self._known)

    def percentile(self, scores: Scores, modalities: Sequence[str]) -> Scores:
        """The share of unrelated pairs that score lower, in (0, 1).

        Above 1 - `smallest_rate` it is extrapolated with an exponential tail.

        Args:
            scores: Cosines, a number or an array.
            modalities: The modalities of query and gallery, in any order.

        Raises:
            IsthmusError: There is no distribution of this pair.
        """
        return self.table(modalities).percentile(scores)

    def cutoff(self, rate: float, modalities: Sequence[str]) -> float:
        """The cosine that a share ``rate`` of unrelated pairs reaches: a cut-off with this false-positive rate.

        Args:
            rate: False-positive rate, from `smallest_rate` to below 1.
            modalities: The modalities of query and gallery, in any order.

        Raises:
            IsthmusError: There is no distribution of this pair, or the rate is out of range.
        """
        return self.table(modalities).cutoff(rate)

    def smallest_rate(self, modalities: Sequence[str]) -> float:
        """The smallest false-positive rate for which there is a cut-off: a hundred pairs of the sample lie above it."""
        return self.table(modalities).smallest_rate

    def chance_neighbours(self, queries: Embeddings, gallery: Embeddings) -> float:
        """The share of queries that would be the nearest neighbour of their nearest item if none had a counterpart.

        Raises `IsthmusError` if it was not measured for these two modalities.
        """
        pair = self._pair((self.name_of(queries), self.name_of(gallery)))
        if pair not in self.neighbours:
            raise self._unmeasured(pair)
        known = self.neighbours[pair]
        known = known if pair[0] == self._modality(self.name_of(queries)) else known.swapped()
        return known.rate(len(queries), len(gallery))

    def table(self, modalities: Sequence[str]) -> ScoreDistribution:
        """The distribution of a pair of modalities. Raises `IsthmusError` naming a pair or modality that has none."""
        pair = self._pair(modalities)
        if pair not in self.tables:
            raise self._unmeasured(pair)
        return self.tables[pair]

    def _pair(self, modalities: Sequence[str]) -> Pair:
        if len(modalities) != 2 or isinstance(modalities, str):
            raise IsthmusError(f"modalities {modalities!r}: name two, those of query and gallery")
        if not self.tables:
            raise IsthmusError(
                "there are no scores of unrelated items, the connector is from an earlier version or an official "
                "checkpoint: connect again, or measure them with UnrelatedScores.of"
            )
        one, other = sorted(self._modality(name) for name in modalities)
        return one, other

    def _unmeasured(self, pair: Pair) -> IsthmusError:
        return IsthmusError(
            f"there are no scores of unrelated {self._short(pair[0])} and {self._short(pair[1])} items: connect again "
            "with more of them, or measure them with UnrelatedScores.of"
        )

    def joined(self, space: str, new: UnrelatedScores) -> UnrelatedScores:
        """These and new ones, in a joint space of which both are a part."""
        return UnrelatedScores(space, {**self.tables, **new.tables}, {**self.neighbours, **new.neighbours})

    def name_of(self, embeddings: Embeddings) -> str:
        """The modality of projected embeddings, as `percentile` and `cutoff` take it.

        Raises `IsthmusError` if they are of another joint space.
        """
        if self.tables and shared_space(self.space, embeddings.space) is None:
            raise IsthmusError(
                f"the {embeddings.modality} vectors are in space {embeddings.space!r}, the scores of unrelated items "
                f"are of {self.space!r}: project them with the connector that the scores belong to"
            )
        own = (embeddings.modality, embeddings.origin)
        return self._short(own) if own in self._known or embeddings.origin != embeddings.space else own[0]

    @property
    def _known(self) -> list[Modality]:
        return sorted({modality for pair in self.tables for modality in pair})

    def _short(self, modality: Modality) -> str:
        """The modality's name, with its space if another space has it too, or neither is known."""
        name, space = modality
        alone = [own for own in self._known if own[0] == name] == [modality]
        return name if alone else f"{name} of {space}"

    def _modality(self, name: str) -> Modality:
        found = [own for own in self._known if name in (own[0], f"{own[0]} of {own[1]}")]
        if not found:
            raise IsthmusError(
                f"there are no scores of unrelated {name!r} items: the connector has those of "
                f"{', '.join(self.modalities)}"
            )
        if len(found) > 1:
            choices = " or ".join(repr(self._short(own)) for own in found)
            raise IsthmusError(f"{name!r} is in two spaces, whose scores differ: say {choices}, or project them again")
        return found[0]

    def as_dict(self) -> dict[str, Any]:
        """The tables as plain data, for JSON."""
        pairs = [
            {
                "pair": [list(own) for own in pair],
                **table.as_dict(),
                **({"neighbours": self.neighbours[pair].as_dict()} if pair in self.neighbours else {}),
            }
            for pair, table in self.tables.items()
        ]
        return {"space": self.space, "pairs": pairs}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> UnrelatedScores:
        """The inverse of `as_dict`; none of None."""
        if data is None:
            return cls()
        found, neighbours = {}, {}
        for entry in data["pairs"]:
            one, other = ((str(modality), str(space)) for modality, space in entry["pair"])
            found[one, other] = ScoreDistribution.from_dict(entry)
            if "neighbours" in entry:
                neighbours[one, other] = ChanceNeighbours.from_dict(entry["neighbours"])
        return cls(str(data["space"]), found, neighbours)


def scores_of(project: Callable[[Embeddings], Embeddings], given: Iterable[Embeddings]) -> UnrelatedScores:
    """The distributions of all pairs of modalities that a connector or a graph of spaces projects."""
    return measured([project(spaced_sample(own)) for own in given])


def spaced_sample(embeddings: Embeddings) -> Embeddings:
    """At most `SAMPLE` rows, evenly spaced."""
    if len(embeddings) <= SAMPLE:
        return embeddings
    return embeddings.take(np.linspace(0, len(embeddings) - 1, SAMPLE).astype(np.int64))


def measured(parts: Sequence[Embeddings]) -> UnrelatedScores:
    """The distributions of all pairs of projected samples; without those whose scores are too few or all alike."""
    named = {(part.modality, part.origin): part for part in parts}
    if len(named) < len(parts):
        raise IsthmusError("two parts are of one modality and space: concatenate them first")
    space = parts[0].space
    for part in parts[1:]:
        both = shared_space(space, part.space)
        if both is None:
            raise IsthmusError(f"{parts[0]!r} and {part!r} are of different spaces: project both with one connector")
        space = both
    tables, neighbours = {}, {}
    for one, other in combinations_with_replacement(sorted(named), 2):
        table = ScoreDistribution.of(unrelated_cosines(named[one], named[other]))
        if table is not None:
            tables[one, other] = table
            by_chance = None if one == other else _by_chance(*_unrelated_rows(named[one], named[other]))
            if by_chance is not None:
                neighbours[one, other] = by_chance
    return UnrelatedScores(space, tables, neighbours)


def _unrelated_rows(
    one: Embeddings, other: Embeddings
) -> tuple[Float[np.ndarray, "one dim"], Float[np.ndarray, "other dim"]]:
    """Rows of both without equal ids: if they share ids, every second row of one, and the others of the other."""
    if set(one.ids).isdisjoint(other.ids):
        return one.vectors, other.vectors
    kept = one.take(np.arange(0, len(one), 2))
    known = set(kept.ids)
    return kept.vectors, other.vectors[[name not in known for name in other.ids]]


def _by_chance(left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]) -> ChanceNeighbours | None:
    """How often unrelated rows are each other's nearest; None with too few rows.

    Rows may be counterparts under different ids, such as the images and clips of the same videos. More of them are then
    mutual neighbours than unrelated rows ever are, and no left row may meet a right row that it is the nearest of.
    """
    found = ChanceNeighbours.of(left, right)
    if found is None or found.rates[-1][-1] <= RELATED:
        return found
    half = np.zeros(len(left), dtype=bool)
    half[np.random.default_rng(0).permutation(len(left))[: len(left) // 2]] = True
    return ChanceNeighbours.of(left[half], right[~half[(left @ right.T).argmax(0)]])


def unrelated_cosines(one: Embeddings, other: Embeddings) -> Float[np.ndarray, " pairs"]:
    """The cosines of all pairs of rows but those with equal ids; of rows with themselves each pair once."""
    scores = one.vectors @ other.vectors.T
    if one is other:
        return scores[~np.tri(len(scores), dtype=bool)]
    _, rows, columns = np.intersect1d(np.array(one.ids), np.array(other.ids), return_indices=True)
    kept = np.ones(scores.shape, bool)
    kept[rows, columns] = False
    return scores[kept]
