"""`Tokens`: the fine-grained outputs of an encoder, a few to many an item, and where each one lies in its item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.checks import check_ids, check_modality

PLACES: Mapping[str, tuple[str, ...]] = {
    "pixels": ("left", "top", "right", "bottom"),
    "seconds": ("start", "end"),
    "characters": ("start", "end"),
}
"""What a place is made of in each unit; right, bottom and end are exclusive."""


@dataclass(frozen=True)
class TokenPart:
    """Some items' tokens one after another; item ``i`` has the rows ``offsets[i]`` to ``offsets[i + 1]``.

    The arrays may be memory-mapped and of half precision.
    """

    vectors: np.ndarray
    offsets: np.ndarray
    places: np.ndarray


class Tokens:
    """Token vectors ``(tokens, dim)`` of items of one modality in one space, with offsets, places and item ids.

    Made by `from_arrays` or `open_tokens`. Vectors are as the encoder gave them, not unit rows. ``unit`` says in what
    `PLACES` are given. Of tokens on disk nothing is read before it is asked for.
    """

    def __init__(
        self, parts: Sequence[TokenPart], *, modality: str, space: str, dim: int, ids: list[str], unit: str
    ) -> None:
        self.modality, self.space, self.dim, self.ids, self.unit = modality, space, dim, ids, unit
        self._parts = tuple(parts)
        self._starts = np.cumsum([0, *(len(part.offsets) - 1 for part in self._parts)])

    @classmethod
    def from_arrays(
        cls,
        vectors: Float[np.ndarray, "tokens dim"],
        offsets: Int[np.ndarray, " items_and_one"],
        places: Float[np.ndarray, "tokens _"],
        *,
        modality: str,
        space: str,
        unit: str,
        ids: Sequence[str] | None = None,
    ) -> Tokens:
        """Tokens in memory; ids default to "0" … "n-1".

        Raises `IsthmusError` naming the first token that is not finite, the first item without tokens, or the array
        whose shape does not fit the others.
        """
        check_modality(modality)
        where = f"{modality} tokens"
        _check_shapes(vectors, offsets, places, unit, where)
        bad = ~np.isfinite(vectors).all(1)
        if bad.any():
            raise IsthmusError(f"{where}: token {int(bad.argmax())} has a NaN or infinite value: embed its item again")
        names = [str(row) for row in range(len(offsets) - 1)] if ids is None else list(ids)
        check_ids(names, len(offsets) - 1, where)
        part = TokenPart(np.ascontiguousarray(vectors, np.float32), offsets.astype(np.int64), places.astype(np.float32))
        return cls([part], modality=modality, space=space, dim=vectors.shape[1], ids=names, unit=unit)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        total = int(self.counts.sum())
        return f"Tokens({total} of {len(self)} {self.modality} items, {self.dim}-d, space {self.space!r})"

    @cached_property
    def counts(self) -> Int[np.ndarray, " items"]:
        """How many tokens each item has."""
        return np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in self._parts)])

    @cached_property
    def offsets(self) -> Int[np.ndarray, " items_and_one"]:
        """Where each item's tokens begin, over all parts."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)

    @cached_property
    def vectors(self) -> Float[np.ndarray, "tokens dim"]:
        """All tokens as float32. Of tokens on disk all are read here, once."""
        return self._joined("vectors", self.dim)

    @cached_property
    def places(self) -> Float[np.ndarray, "tokens _"]:
        """Where every token lies."""
        return self._joined("places", len(PLACES[self.unit]))

    def take(self, index: Int[np.ndarray, " taken"]) -> Tokens:
        """Items by number, each at most once, in the order given; read and copied."""
        return self._read(np.asarray(index), [self.ids[row] for row in np.asarray(index).tolist()])

    def named(self, ids: Sequence[str]) -> Tokens:
        """The same tokens of items with other ids."""
        check_ids(ids, len(self), f"{self.modality} tokens")
        return Tokens(
            self._parts, modality=self.modality, space=self.space, dim=self.dim, ids=list(ids), unit=self.unit
        )

    def batches(self, items: int) -> Iterator[Tokens]:
        """Consecutive blocks of ``items`` items, the last one shorter."""
        for start in range(0, len(self), items):
            yield self.take(np.arange(start, min(start + items, len(self))))

    def rows(self, index: Int[np.ndarray, " items"]) -> Float[np.ndarray, "tokens dim"]:
        """Token vectors of some items, which may repeat, one item after another; `counts` says how many each has."""
        return self._gathered(np.asarray(index), "vectors")

    def _read(self, index: np.ndarray, ids: list[str]) -> Tokens:
        offsets = np.concatenate([[0], np.cumsum(self.counts[index])]).astype(np.int64)
        part = TokenPart(self._gathered(index, "vectors"), offsets, self._gathered(index, "places"))
        return Tokens([part], modality=self.modality, space=self.space, dim=self.dim, ids=ids, unit=self.unit)

    def _gathered(self, index: np.ndarray, field: str) -> np.ndarray:
        """A field of some items' tokens, one item after another."""
        counts = self.counts[index]
        part_of = np.searchsorted(self._starts, index, side="right") - 1
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        width = self.dim if field == "vectors" else len(PLACES[self.unit])
        found = np.empty((len(step), width), np.float32)
        for number in np.unique(part_of):
            part, here = self._parts[number], part_of == number
            first = part.offsets[np.where(here, index - self._starts[number], 0)]
            source = np.repeat(first, counts) + step
            rows = getattr(part, field)
            if here.all():
                return np.asarray(rows[source], dtype=np.float32)
            token_here = np.repeat(here, counts)
            found[token_here] = rows[source[token_here]]
        return found

    def _joined(self, field: str, width: int) -> np.ndarray:
        parts = [np.asarray(getattr(part, field), dtype=np.float32) for part in self._parts]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, width), np.float32), *parts])


def _check_shapes(vectors: np.ndarray, offsets: np.ndarray, places: np.ndarray, unit: str, where: str) -> None:
    if unit not in PLACES:
        raise IsthmusError(f"{where}: unit {unit!r}: choose one of {', '.join(PLACES)}")
    if len(offsets) < 1 or offsets[0] != 0 or offsets[-1] != len(vectors):
        raise IsthmusError(f"{where}: offsets must run from 0 to the number of tokens, {len(vectors)}")
    without = np.diff(offsets) < 1
    if without.any():
        raise IsthmusError(f"{where}: item {int(without.argmax())} has no token: leave it out")
    if places.shape != (len(vectors), len(PLACES[unit])):
        expected = f"{len(vectors)} rows of {', '.join(PLACES[unit])}"
        raise IsthmusError(f"{where}: places have shape {places.shape}: give {expected}")
