"""Materials: what a method may learn from. Two spaces, their shared rows, and an unpaired memory on each side."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.connectors.overlap.alignment import matching_rows
from isthmus.embeddings import Embeddings

FEWEST_ITEMS = 10
"""A memory of fewer items says nothing of where its modality lies."""


@dataclass(frozen=True)
class Side:
    """One space: its rows of the overlap, and a memory of its other modality (``None`` where there is none)."""

    overlap: Embeddings
    memory: Embeddings | None

    @property
    def space(self) -> str:
        """The space's name."""
        return self.overlap.space


@dataclass(frozen=True)
class Materials:
    """Two sides whose overlap rows correspond: row i of ``left.overlap`` and of ``right.overlap`` are one item."""

    left: Side
    right: Side

    def taken(self, rows: Int[np.ndarray, " rows"]) -> Materials:
        """The same memories with only some rows of the overlap."""
        left, right = (Side(side.overlap.take(rows), side.memory) for side in (self.left, self.right))
        return Materials(left, right)


def assemble(left: Mapping[str, Embeddings], right: Mapping[str, Embeddings], overlap: str) -> Materials:
    """Materials from two sets of embeddings by modality; overlap rows are matched by id.

    Rows without a partner are dropped with a warning that counts them. Raises `IsthmusError` where a side lacks the
    overlap, holds several memories or two spaces, where both sides name one space, or where no id is shared.
    """
    _checked(left, "left")
    _checked(right, "right")
    left_space, right_space = _space(left, "left", overlap), _space(right, "right", overlap)
    if left_space == right_space:
        raise IsthmusError(f"both sides are in space {left_space!r}: there is nothing to connect, or one is misnamed")
    aligned = _aligned(left[overlap], right[overlap])
    return Materials(
        Side(aligned[0], _memory(left, "left", overlap)),
        Side(aligned[1], _memory(right, "right", overlap)),
    )


def _space(side: Mapping[str, Embeddings], name: str, overlap: str) -> str:
    if overlap not in side:
        held = ", ".join(side) or "nothing"
        raise IsthmusError(f"the {name} side has no {overlap!r} (it has {held}): name the modality both sides share")
    spaces = {embeddings.space for embeddings in side.values()}
    dims = {modality: embeddings.dim for modality, embeddings in side.items()}
    if len(spaces) > 1:
        raise IsthmusError(f"the {name} side mixes spaces {sorted(spaces)}: each side must be of one space")
    if len(set(dims.values())) > 1:
        listed = ", ".join(f"{modality} {dim}" for modality, dim in dims.items())
        raise IsthmusError(f"the {name} side mixes dimensions ({listed}): all its modalities must share one space")
    if len(side[overlap]) == 0:
        raise IsthmusError(f"the {name} side's {overlap!r} has no rows: embed some")
    return spaces.pop()


def _checked(side: Mapping[str, Embeddings], name: str) -> None:
    if not isinstance(side, Mapping) or not all(isinstance(rows, Embeddings) for rows in side.values()):
        raise IsthmusError(
            f"the {name} side is no mapping of modality to Embeddings: pass {{'text': …, 'image': …}} or open_set(path)"
        )
    wrong = next((key for key, rows in side.items() if rows.modality != key), None)
    if wrong is not None:
        raise IsthmusError(
            f"the {name} side's {wrong!r} holds {side[wrong].modality!r} rows: give the key and the modality one name"
        )
    if any(rows.dim < 2 for rows in side.values()):
        raise IsthmusError(f"the {name} side has vectors of one dimension: embed the items again")


def _memory(side: Mapping[str, Embeddings], name: str, overlap: str) -> Embeddings | None:
    memories = [embeddings for modality, embeddings in side.items() if modality != overlap]
    if len(memories) > 1:
        listed = ", ".join(memory.modality for memory in memories)
        raise IsthmusError(f"the {name} side has several memories ({listed}): pass the overlap and one other modality")
    if memories and 0 < len(memories[0]) < FEWEST_ITEMS:
        raise IsthmusError(
            f"the {name} side's {memories[0].modality} memory has {len(memories[0])} items: "
            f"give at least {FEWEST_ITEMS}, or none"
        )
    if not memories or len(memories[0]) == 0:
        warnings.warn(
            f"the {name} side has no memory: only {overlap!r} is used, and its other modality cannot be centred",
            stacklevel=5,
        )
        return None
    return memories[0]


def _aligned(left: Embeddings, right: Embeddings) -> tuple[Embeddings, Embeddings]:
    if left.ids == right.ids:
        return left, right
    left_rows, right_rows = matching_rows(left.ids, right.ids)
    modality = left.modality
    if len(left_rows) == 0:
        example = f"{left.ids[0]!r} on the left, {right.ids[0]!r} on the right"
        raise IsthmusError(f"no {modality} id is on both sides (first: {example}): overlap rows correspond by id")
    dropped = len(left) + len(right) - 2 * len(left_rows)
    if dropped:
        warnings.warn(
            f"{dropped} {modality} rows have no partner and are dropped; {len(left_rows)} pairs are kept", stacklevel=5
        )
    return left.take(left_rows), right.take(right_rows)
