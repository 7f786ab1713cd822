"""Centred materials: both sides' rows in centred coordinates, a sample that fits in memory.

Closed forms are chosen and connectors are judged on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.config import Centring, FittedPairs, PairWeights
from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.centring import centres, sample
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.cycle import Cycle, pair_weights
from isthmus.connectors.pseudo.exact import exact

CONSISTENCY_TEMPERATURE = 0.01
MEMORY_ROWS = 20_000


@dataclass(frozen=True)
class CentredMaterials:
    """Centred unit rows of both sides. ``pseudo[s]`` is each text's pseudo counterpart in the memory of side s, and
    ``cycles[s]`` how well it leads back to its text.

    Index 0 is the left side, 1 the right; the entries of a side without a memory are ``None``.
    """

    centring: Centring
    centres: tuple[dict[str, Tensor], dict[str, Tensor]]
    texts: tuple[Float[Tensor, "texts dl"], Float[Tensor, "texts dr"]]
    memories: tuple[Float[Tensor, "left dl"] | None, Float[Tensor, "right dr"] | None]
    pseudo: tuple[Float[Tensor, "texts dl"] | None, Float[Tensor, "texts dr"] | None]
    cycles: tuple[Float[Tensor, " texts"] | None, Float[Tensor, " texts"] | None]

    def pairs(
        self, source: FittedPairs, rows: Int[Tensor, " rows"], weights: PairWeights = "cycle"
    ) -> Iterator[tuple[Tensor, ...]]:
        """The overlap pairs, the pseudo pairs with their weights, or both, of the given texts."""
        if source in ("overlap", "both"):
            yield self.texts[0][rows], self.texts[1][rows]
        if source in ("pseudo", "both"):
            (left, right), (to_left, to_right) = self.pseudo, self.cycles
            if left is None or right is None or to_left is None or to_right is None:
                raise ValueError("pseudo pairs need a memory on both sides")
            own = [pair_weights(to_left[rows], to_right[rows])] if weights == "cycle" else []
            yield left[rows], right[rows], *own


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
        cycles=(left[3], right[3]),
    )


def _centred(side: Side, own: dict[str, Tensor]) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """Texts, memory, pseudo counterparts and their cycle scores of one side."""
    texts = recentred(torch.from_numpy(side.overlap.vectors), own.get(side.overlap.modality))
    if side.memory is None:
        return texts, None, None, None
    memory = recentred(sample(side.memory, MEMORY_ROWS), own.get(side.memory.modality))
    pseudo = exact(texts, TensorRows(memory), CONSISTENCY_TEMPERATURE)
    return texts, memory, pseudo, Cycle.of(side, own).scores(texts, pseudo)
