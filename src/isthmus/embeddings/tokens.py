"""`Tokens`: the fine-grained outputs of an encoder, one or more per item, and where in the item each one is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.checks import as_ids, check_ids, check_modality, checked_rows, row_numbers

PLACES: Mapping[str, tuple[str, ...]] = {
    "pixels": ("left", "top", "right", "bottom"),
    "seconds": ("start", "end"),
    "characters": ("start", "end"),
}
"""The numbers that make up a place in each unit; right, bottom and end are exclusive."""


@dataclass(frozen=True)
class TokenPart:
    """Tokens of some items in sequence; those of item ``i`` are the rows ``offsets[i]`` to ``offsets[i + 1]``.

    The arrays may be memory-mapped and in half precision.
    """

    vectors: np.ndarray
    offsets: np.ndarray
    places: np.ndarray


class Tokens:
    """Token vectors of items of one modality in one space, and where in its item each token is.

    Made by `from_arrays`, `isthmus.embeddings.open_tokens` or `Space.encode_tokens`. Vectors are what the encoder
    returned, not unit rows. Tokens on disk are memory-mapped: `batches` and `take` read only what they return.

    Attributes:
        modality: What the items are.
        space: Name of the space.
        dim: Number of dimensions.
        ids: Unique ids, one per item: those given, or row numbers if the items are `numbered`.
        unit: Unit of the places: pixels, seconds or characters.
        numbered: Whether items have no ids of their own. Nothing then pairs them by id. Tokens saved by version 0.1
            do not say it: there, ids "0" to "n-1" count as row numbers.

    Example:
        Two audio clips, the first with one token and the second with two:

        >>> from isthmus import Tokens
        >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
        >>> places = np.array([[0.0, 0.5], [0.0, 0.5], [0.5, 1.0]])
        >>> kind = {"modality": "audio", "space": "clap", "unit": "seconds"}
        >>> tokens = Tokens.from_arrays(vectors, np.array([0, 1, 3]), places, ids=["dog", "cat"], **kind)
        >>> tokens
        Tokens(3 of 2 audio items, 2-d, space 'clap')
        >>> tokens.counts, tokens.take(np.array([1])).places
        (array([1, 2]), array([[0. , 0.5],
               [0.5, 1. ]], dtype=float32))
    """

    def __init__(
        self,
        parts: Sequence[TokenPart],
        *,
        modality: str,
        space: str,
        dim: int,
        ids: list[str],
        unit: str,
        numbered: bool | None = None,
    ) -> None:
        self.modality, self.space, self.dim, self.ids, self.unit = modality, space, dim, ids, unit
        self.numbered = ids == row_numbers(len(ids)) if numbered is None else numbered
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
        ids: Iterable[Any] | None = None,
    ) -> Tokens:
        """Make tokens of arrays.

        Args:
            vectors: One row per token, (tokens, dim), those of an item in sequence.
            offsets: The tokens of item i are the rows ``offsets[i]`` to ``offsets[i + 1]``, (items + 1,).
            places: Where each token is: (tokens, 4) left, top, right, bottom in pixels, or (tokens, 2) start and end
                in seconds or characters; right, bottom and end are exclusive.
            modality: What the items are.
            space: Name of the model that produced the vectors.
            unit: Unit of the places: pixels, seconds or characters.
            ids: One unique id per item, text or integers. Without them items are `numbered` "0" to "n-1", and nothing
                pairs them by id.

        Raises:
            IsthmusError: A token is not finite, an item has no token, or an array has the wrong shape.
        """
        check_modality(modality)
        where = f"{modality} tokens"
        _check_shapes(vectors, offsets, places, unit, where)
        names = row_numbers(len(offsets) - 1) if ids is None else as_ids(ids, where)
        check_ids(names, len(offsets) - 1, where)
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(vectors, np.float32)
        bad = np.flatnonzero(~np.isfinite(rows).all(1))
        if len(bad):
            item = names[int(np.searchsorted(offsets, bad[0], side="right")) - 1]
            raise IsthmusError(
                f"{where}: token {bad[0]} (item {item!r}) contains NaN or infinity: embed the item again, or leave it "
                "out"
            )
        part = TokenPart(rows, offsets.astype(np.int64), places.astype(np.float32))
        dim = vectors.shape[1]
        return cls([part], modality=modality, space=space, dim=dim, ids=names, unit=unit, numbered=ids is None)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        total = int(self.counts.sum())
        return f"Tokens({total} of {len(self)} {self.modality} items, {self.dim}-d, space {self.space!r})"

    @cached_property
    def counts(self) -> Int[np.ndarray, " items"]:
        """Number of tokens of each item."""
        return np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in self._parts)])

    @cached_property
    def offsets(self) -> Int[np.ndarray, " items_and_one"]:
        """Where each item's tokens begin, over all shards."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)

    @cached_property
    def vectors(self) -> Float[np.ndarray, "tokens dim"]:
        """All token vectors as float32. Reads tokens on disk into memory, once."""
        return self._joined("vectors", self.dim)

    @cached_property
    def places(self) -> Float[np.ndarray, "tokens _"]:
        """Where each token is, in `unit`. Reads tokens on disk into memory, once."""
        return self._joined("places", len(PLACES[self.unit]))

    def stored(self) -> Iterator[np.ndarray]:
        """The token vectors as they are stored, shard by shard: mapped, maybe in half precision, nothing is copied."""
        return (part.vectors for part in self._parts)

    def take(self, index: np.ndarray) -> Tokens:
        """Take items by number; their tokens are read and copied.

        Args:
            index: Distinct item numbers, in any order, or a boolean mask of all items.

        Raises:
            IsthmusError: A number is out of range or repeated.
        """
        index = checked_rows(index, len(self), repr(self))
        offsets = np.concatenate([[0], np.cumsum(self.counts[index])]).astype(np.int64)
        part = TokenPart(self._gathered(index, "vectors"), offsets, self._gathered(index, "places"))
        ids = [self.ids[row] for row in index.tolist()]
        return self._like([part], ids, self.numbered)

    def named(self, ids: Iterable[Any]) -> Tokens:
        """The same tokens under other item ids."""
        where = f"{self.modality} tokens"
        names = as_ids(ids, where)
        check_ids(names, len(self), where)
        return self._like(self._parts, names, numbered=False)

    def _like(self, parts: Sequence[TokenPart], ids: list[str], numbered: bool) -> Tokens:
        return Tokens(
            parts,
            modality=self.modality,
            space=self.space,
            dim=self.dim,
            ids=ids,
            unit=self.unit,
            numbered=numbered,
        )

    def batches(self, items: int) -> Iterator[Tokens]:
        """Read consecutive blocks of items.

        Args:
            items: Items per block; the last block may have fewer.
        """
        for start in range(0, len(self), items):
            yield self.take(np.arange(start, min(start + items, len(self))))

    def rows(self, index: Int[np.ndarray, " items"]) -> Float[np.ndarray, "tokens dim"]:
        """Token vectors of some items, which may repeat, in sequence; `counts` has the number of tokens of each."""
        return self._gathered(np.asarray(index), "vectors")

    def _gathered(self, index: np.ndarray, field: str) -> np.ndarray:
        """Vectors or places of the tokens of some items, in sequence."""
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
        raise IsthmusError(f"{where}: item {int(without.argmax())} has no tokens: leave it out")
    if places.shape != (len(vectors), len(PLACES[unit])):
        expected = f"{len(vectors)} rows of {', '.join(PLACES[unit])}"
        raise IsthmusError(f"{where}: places have shape {places.shape}, expected {expected}")
