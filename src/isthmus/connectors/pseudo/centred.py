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

from isthmus.connectors.config import Centring, FittedPairs
from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.centring import centres, sample
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import TensorRows, evenly_spaced
from isthmus.connectors.pseudo.cycle import KEY_TEXTS, cycle_scores, pair_weights
from isthmus.connectors.pseudo.exact import exact

CONSISTENCY_TEMPERATURE = 0.01
MEMORY_ROWS = 20_000


@dataclass(frozen=True)
class CentredMaterials:
    """Centred unit rows of both sides. ``pseudo[s]`` is each text's pseudo counterpart in the memory of side s.

    Index 0 is the left side, 1 the right; the entries of a side without a memory are ``None``.
    """

    centring: Centring
    centres: tuple[dict[str, Tensor], dict[str, Tensor]]
    texts: tuple[Float[Tensor, "texts dl"], Float[Tensor, "texts dr"]]
    memories: tuple[Float[Tensor, "left dl"] | None, Float[Tensor, "right dr"] | None]
    pseudo: tuple[Float[Tensor, "texts dl"] | None, Float[Tensor, "texts dr"] | None]

    @cached_property
    def cycles(self) -> tuple[Float[Tensor, " texts"] | None, Float[Tensor, " texts"] | None]:
        """Each text's cycle score in each side's memory; ``None`` for a side without a memory."""
        left, right = (
            None
            if pseudo is None
            else cycle_scores(texts, pseudo, evenly_spaced(TensorRows(texts), KEY_TEXTS, texts.device))
            for texts, pseudo in zip(self.texts, self.pseudo, strict=True)
        )
        return left, right

    @cached_property
    def pair_weights(self) -> Float[Tensor, " texts"] | None:
        """The cycle weight of each text's pseudo pair; ``None`` if a side has no memory."""
        left, right = self.cycles
        return None if left is None or right is None else pair_weights(left, right)

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


def centred_materials(materials: Materials, centring: Centring, texts: Int[Tensor, " texts"]) -> CentredMaterials:
    """Centre the given overlap rows and at most 20 000 items of each memory, and draw the pseudo pairs."""
    own = centres(materials, centring)
    taken = materials.taken(texts.numpy())
    left, right = (_centred(side, centre) for side, centre in zip((taken.left, taken.right), own, strict=True))
    return CentredMaterials(
        centring=centring,
        centres=own,
        texts=(left[0], right[0]),
        memories=(left[1], right[1]),
        pseudo=(left[2], right[2]),
    )


def _centred(side: Side, own: dict[str, Tensor]) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Texts, memory and pseudo counterparts of one side."""
    texts = recentred(torch.from_numpy(side.overlap.vectors), own.get(side.overlap.modality))
    if side.memory is None:
        return texts, None, None
    memory = recentred(sample(side.memory, MEMORY_ROWS), own.get(side.memory.modality))
    return texts, memory, exact(texts, TensorRows(memory), CONSISTENCY_TEMPERATURE)
