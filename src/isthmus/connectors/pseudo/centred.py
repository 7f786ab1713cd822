"""A view: the materials in centred coordinates, small enough for memory. Closed forms and criteria work on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.config import Centring, FittedPairs
from isthmus.connectors.overlap.centring import centres, recentred, sample
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.consistency import exact

CONSISTENCY_TEMPERATURE = 0.01
MEMORY_ROWS = 20_000


@dataclass(frozen=True)
class CentredMaterials:
    """Centred unit rows of both sides. ``pseudo[s]`` holds, for each text, its pseudo counterpart in side s's memory.

    Index 0 is the left side, 1 the right; a side without a memory has ``None``.
    """

    centring: Centring
    centres: tuple[dict[str, Tensor], dict[str, Tensor]]
    texts: tuple[Float[Tensor, "texts dl"], Float[Tensor, "texts dr"]]
    memories: tuple[Float[Tensor, "left dl"] | None, Float[Tensor, "right dr"] | None]
    pseudo: tuple[Float[Tensor, "texts dl"] | None, Float[Tensor, "texts dr"] | None]

    def pairs(
        self, source: FittedPairs, rows: Int[Tensor, " rows"]
    ) -> Iterator[tuple[Float[Tensor, "rows dl"], Float[Tensor, "rows dr"]]]:
        """The pairs of a source over the given texts."""
        if source in ("overlap", "both"):
            yield self.texts[0][rows], self.texts[1][rows]
        if source in ("pseudo", "both"):
            left, right = self.pseudo
            if left is None or right is None:
                raise ValueError("pseudo pairs need a memory on both sides")
            yield left[rows], right[rows]


def view(materials: Materials, centring: Centring, texts: Int[Tensor, " texts"]) -> CentredMaterials:
    """Centre the given overlap rows and a sample of the memories (20 000 items at most), and draw the pseudo pairs."""
    found = centres(materials, centring)
    taken = materials.taken(texts.numpy())
    sides = [_centred(side, own) for side, own in zip((taken.left, taken.right), found, strict=True)]
    return CentredMaterials(
        centring=centring,
        centres=found,
        texts=(sides[0][0], sides[1][0]),
        memories=(sides[0][1], sides[1][1]),
        pseudo=(_pseudo(*sides[0]), _pseudo(*sides[1])),
    )


def soft_match(
    queries: Float[Tensor, "queries dim"], memory: Float[Tensor, "items dim"], temperature: float
) -> Float[Tensor, "queries items"]:
    """Softmax over the memory of the cosines at a temperature: the weights of semantic consistency."""
    return torch.softmax(queries @ memory.T / temperature, dim=-1)


def _centred(side: Side, own: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
    texts = _recentred(torch.from_numpy(side.overlap.vectors), own.get(side.overlap.modality))
    if side.memory is None:
        return texts, None
    return texts, _recentred(sample(side.memory, MEMORY_ROWS), own.get(side.memory.modality))


def _recentred(rows: Tensor, centre: Tensor | None) -> Tensor:
    return rows if centre is None else recentred(rows, centre)


def _pseudo(texts: Tensor, memory: Tensor | None) -> Tensor | None:
    return None if memory is None else exact(texts, TensorRows(memory), CONSISTENCY_TEMPERATURE)
