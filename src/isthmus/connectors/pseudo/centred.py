"""Centred materials: both sides' rows in centred coordinates, a sample that fits in memory.

Closed forms are chosen and connectors are judged on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.config import Centring, ConsistencyConfig, FittedPairs
from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.centring import centred_memory, centres, memory_sample
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import Counted, TensorRows, evenly_spaced, named, read
from isthmus.connectors.pseudo.consistency import pseudo_rows
from isthmus.connectors.pseudo.counterparts import Counterparts
from isthmus.connectors.pseudo.cycle import KEY_TEXTS, cycle_scores, pair_weights

CONSISTENCY_TEMPERATURE = ConsistencyConfig().temperature
MEMORY_ROWS = 20_000
"""Items of each side's memory in a view: more hardly change the maps (docs/benchmarks.md)."""
Centres = tuple[dict[str, Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class CentredMaterials:
    """Centred unit rows of both sides. ``pseudo[s]`` is each text's pseudo counterpart in the memory of side s.

    Index 0 is the left side, 1 the right; the entries of a side without a memory are ``None``.
    """

    centring: Centring
    centres: Centres
    texts: tuple[Float[Tensor, "texts dl"], Float[Tensor, "texts dr"]]
    memories: tuple[Float[Tensor, "left dl"] | None, Float[Tensor, "right dr"] | None]
    pseudo: tuple[Float[Tensor, "texts dl"] | None, Float[Tensor, "texts dr"] | None]

    @cached_property
    def cycles(self) -> tuple[Float[Tensor, " texts"] | None, Float[Tensor, " texts"] | None]:
        """Each text's cycle score in each side's memory; ``None`` for a side without a memory."""
        found: list[Tensor | None] = []
        for texts, pseudo in zip(self.texts, self.pseudo, strict=True):
            keys = evenly_spaced(TensorRows(texts), KEY_TEXTS, texts.device)
            found.append(None if pseudo is None else cycle_scores(texts, pseudo, keys))
        return found[0], found[1]

    @cached_property
    def pair_weights(self) -> Float[Tensor, " texts"] | None:
        """The cycle weight of each text's pseudo pair; ``None`` if a side has no memory."""
        left, right = self.cycles
        return None if left is None or right is None else pair_weights(left, right)

    def counterparts(self, rows: Int[Tensor, " rows"], device: torch.device) -> Counterparts:
        """C-MCR's training rows from some texts: they, their pseudo counterparts and cycle scores."""
        (left, right), (left_scores, right_scores) = self.pseudo, self.cycles
        if left is None or right is None or left_scores is None or right_scores is None:
            raise ValueError("pseudo pairs need a memory on both sides")
        return Counterparts(
            torch.stack((self.texts[0][rows], left[rows])).to(device),
            torch.stack((self.texts[1][rows], right[rows])).to(device),
            (left_scores[rows].to(device), right_scores[rows].to(device)),
        )

    def pairs(
        self, source: FittedPairs, rows: Int[Tensor, " rows"], weights: Float[Tensor, " texts"] | None = None
    ) -> Iterator[tuple[Tensor, ...]]:
        """The overlap pairs, the pseudo pairs or both, of some texts; ``weights`` are those of every pseudo pair."""
        if source in ("overlap", "both"):
            yield self.texts[0][rows], self.texts[1][rows]
        if source in ("pseudo", "both"):
            left, right = self.pseudo
            if left is None or right is None:
                raise ValueError("pseudo pairs need a memory on both sides")
            yield (left[rows], right[rows]) if weights is None else (left[rows], right[rows], weights[rows])


def centred_materials(
    materials: Materials,
    centring: Centring,
    texts: Int[Tensor, " texts"],
    own: Centres | None = None,
    *,
    pseudo: bool = True,
) -> CentredMaterials:
    """Centre the given overlap rows and at most 20 000 items of each side's memories, and draw the pseudo pairs.

    ``own`` are the centres of this centring, if they are known. Without ``pseudo`` no pseudo pairs are drawn.
    """
    own = centres(materials, centring) if own is None else own
    taken = materials.taken(texts.numpy())
    left, right = (_centred(side, centre, pseudo) for side, centre in zip((taken.left, taken.right), own, strict=True))
    return CentredMaterials(
        centring=centring,
        centres=own,
        texts=(left[0], right[0]),
        memories=(left[1], right[1]),
        pseudo=(left[2], right[2]),
    )


def _centred(side: Side, own: dict[str, Tensor], pseudo: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Texts, memory and pseudo counterparts of one side."""
    texts = recentred(torch.from_numpy(side.overlap.vectors), own.get(side.overlap.modality))
    if side.memory is None:
        return texts, None, None
    memory = memory_sample(side, own, MEMORY_ROWS)
    if not pseudo:
        return texts, memory, None
    found = pseudo_rows(TensorRows(texts), TensorRows(memory), ConsistencyConfig(), device=texts.device)
    return texts, memory, read(Counted(found, f"pseudo pairs in {named(centred_memory(side, own))}"), texts.device)
