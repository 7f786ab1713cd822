"""Materials: what a method is fitted to. Two spaces, their shared rows, and an unpaired memory on each side."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import begin
from isthmus.connectors.overlap.alignment import matching_items
from isthmus.connectors.overlap.rows import spaced_rows
from isthmus.embeddings import Embeddings
from isthmus.training.repeats import SAME

FEWEST_ITEMS = 10
"""The mean of a smaller memory is too uncertain to centre by."""
BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Side:
    """One space: its rows of the overlap, and a memory of its other modality (``None`` if it has no other).

    A space with several other modalities has its largest in ``memory`` and the rest in ``others``; all of them
    together, each centred by itself, are what pseudo pairs are drawn in.
    """

    overlap: Embeddings
    memory: Embeddings | None
    others: tuple[Embeddings, ...] = ()

    @property
    def memories(self) -> tuple[Embeddings, ...]:
        """Every memory, the largest first."""
        return () if self.memory is None else (self.memory, *self.others)

    @property
    def items(self) -> int:
        """How many items all memories have."""
        return sum(map(len, self.memories))

    def spaced_items(self, most: int) -> list[tuple[Embeddings, Int[np.ndarray, " rows"]]]:
        """Each memory with the numbers of evenly spaced rows, in proportion to its size, at most about so many."""
        share = min(1.0, most / max(1, self.items))
        return [(own, spaced_rows(len(own), max(1, round(share * len(own))))) for own in self.memories]

    @property
    def space(self) -> str:
        """The space's name."""
        return self.overlap.space


@dataclass(frozen=True)
class Materials:
    """Two sides with corresponding overlap rows: row i of ``left.overlap`` and of ``right.overlap`` show one item.

    Example:
        >>> import isthmus, numpy as np
        >>> def rows(modality, space):
        ...     vectors = np.random.default_rng(0).standard_normal((50, 8))
        ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space)
        >>> left = Side(rows("text", "clip"), rows("image", "clip"))
        >>> materials = Materials(left, Side(rows("text", "clap"), None))
        >>> len(materials.taken(np.arange(20)).left.overlap)
        20
    """

    left: Side
    right: Side

    def taken(self, rows: Int[np.ndarray, " rows"]) -> Materials:
        """The same memories with only some rows of the overlap."""
        left, right = (replace(side, overlap=side.overlap.take(rows)) for side in (self.left, self.right))
        return Materials(left, right)


def assemble(left: Mapping[str, Embeddings], right: Mapping[str, Embeddings], overlap: str) -> Materials:
    """Materials from two mappings of modality to embeddings; overlap rows are matched by id.

    Rows without a counterpart are dropped with a warning that counts them. Raises `IsthmusError` if a side lacks the
    overlap or holds two spaces, if both sides have the same space, or if they share no id.
    """
    _require_side(left, "left", overlap)
    _require_side(right, "right", overlap)
    begin(f"matching {overlap} rows")
    space = left[overlap].space
    if space == right[overlap].space:
        raise IsthmusError(f"both sides are in space {space!r}: there is nothing to connect, or one is misnamed")
    left_rows, right_rows = _corresponding(left[overlap], right[overlap])
    for name, side in (("left", left), ("right", right)):
        for embeddings in side.values():
            require_varied(embeddings, f"the {name} side's {embeddings.modality} rows")
    return Materials(
        _with_memories(left_rows, left, "left"),
        _with_memories(right_rows, right, "right"),
    )


def memories_of(own: Mapping[str, Embeddings], overlap: str) -> list[Embeddings]:
    """A space's rows of other modalities than the overlap, the largest first, of equals the first by name."""
    others = [embeddings for modality, embeddings in sorted(own.items()) if modality != overlap and len(embeddings)]
    return sorted(others, key=len, reverse=True)


def require_varied(embeddings: Embeddings, where: str) -> None:
    """Raise `IsthmusError` if all rows show the same: after centring, nothing but rounding would be left of them."""
    first: np.ndarray | None = None
    for block in embeddings.batches(BLOCK_ROWS):
        first = block[0] if first is None else first
        if np.linalg.norm(block - first, axis=1).max() > SAME:
            return
    if len(embeddings) > 1:
        raise IsthmusError(f"{where} are all alike: check that they are of different items")


def _require_side(side: Mapping[str, Embeddings], name: str, overlap: str) -> None:
    if not isinstance(side, Mapping) or not all(isinstance(rows, Embeddings) for rows in side.values()):
        raise IsthmusError(
            f"the {name} side must map modalities to Embeddings: pass {{'text': …, 'image': …}} or open_set(path)"
        )
    wrong = next((key for key, rows in side.items() if rows.modality != key), None)
    if wrong is not None:
        raise IsthmusError(
            f"the {name} side's {wrong!r} has rows of modality {side[wrong].modality!r}: make key and modality the same"
        )
    if overlap not in side:
        has = ", ".join(side) or "nothing"
        raise IsthmusError(
            f"the {name} side has no {overlap!r} (it has {has}): name the modality that both sides share"
        )
    spaces = {rows.space for rows in side.values()}
    if len(spaces) > 1:
        raise IsthmusError(f"the {name} side mixes the spaces {sorted(spaces)}: each side must be of one space")
    dims = {modality: rows.dim for modality, rows in side.items()}
    if len(set(dims.values())) > 1:
        listed = ", ".join(f"{modality} {dim}" for modality, dim in dims.items())
        raise IsthmusError(f"the {name} side mixes dimensions ({listed}): embed all its modalities with one encoder")
    if min(dims.values()) < 2:
        raise IsthmusError(f"the {name} side has vectors of 1 dimension: at least 2 are needed, use another encoder")
    if len(side[overlap]) == 0:
        raise IsthmusError(f"the {name} side's {overlap!r} has no rows: embed at least 10")


def _corresponding(left: Embeddings, right: Embeddings) -> tuple[Embeddings, Embeddings]:
    left_rows, right_rows = matching_items(left, right)
    if left.ids == right.ids:
        return left, right
    matched = len(left_rows)
    if matched == 0:
        example = f"{left.ids[0]!r} on the left, {right.ids[0]!r} on the right"
        raise IsthmusError(f"no {left.modality} id is on both sides (first: {example}): overlap rows are matched by id")
    dropped = len(left) + len(right) - 2 * matched
    if dropped:
        warnings.warn(
            f"dropped {dropped} {left.modality} rows without a counterpart; {matched} pairs remain", stacklevel=5
        )
    return left.take(left_rows), right.take(right_rows)


def _with_memories(rows: Embeddings, side: Mapping[str, Embeddings], name: str) -> Side:
    memories = memories_of(side, rows.modality)
    for memory in memories:
        if len(memory) < FEWEST_ITEMS:
            raise IsthmusError(
                f"the {name} side's {memory.modality} memory has {len(memory)} items: give at least {FEWEST_ITEMS}, or "
                "none"
            )
    if not memories:
        warnings.warn(
            f"the {name} side has no memory: only {rows.modality!r} is used, and its other modality is not centred",
            stacklevel=5,
        )
        return Side(rows, None)
    return Side(rows, memories[0], tuple(memories[1:]))
