"""Coverage: how well each memory covers the overlap, and which texts it covers worst."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.centred import CONSISTENCY_TEMPERATURE, MEMORY_ROWS, CentredMaterials
from isthmus.connectors.pseudo.exact import match_memory
from isthmus.connectors.trust.figures import Coverage, WorstText
from isthmus.connectors.trust.shown import shown_item

COVERAGE_TEXTS = 1000
PARTS = 20
"""Parts of [0, 1] in which the histogram counts cycle scores."""
WORST = 5


def coverage_of(
    centred: CentredMaterials, materials: Materials, sampled: Int[Tensor, " sampled"]
) -> tuple[Coverage, ...]:
    """How well each memory covers the overlap; ``sampled`` are the numbers of the overlap rows that are centred.

    Medians of cosines are over the first 1000 of these texts, cycle scores and worst texts over all of them. Of a
    memory with more items than the view has, that many evenly spaced ones take part.
    """
    sides = (materials.left, materials.right)
    return tuple(_coverage(centred, number, side, sampled) for number, side in enumerate(sides) if side.memory)


def _coverage(centred: CentredMaterials, number: int, side: Side, sampled: Int[Tensor, " sampled"]) -> Coverage:
    items, cycles, texts = centred.memories[number], centred.cycles[number], centred.texts[number]
    assert items is not None
    assert cycles is not None
    match = match_memory(texts[:COVERAGE_TEXTS], TensorRows(items), CONSISTENCY_TEMPERATURE)
    counts = np.histogram(cycles.numpy(), bins=PARTS, range=(0, 1))[0]
    return Coverage(
        modality=" and ".join(memory.modality for memory in side.memories),
        rows=side.items,
        top_cosine=match.top_cosine.median().item(),
        effective_neighbours=match.effective_neighbours.median().item(),
        space=side.space,
        cycle=cycles.median().item(),
        cycles=tuple(counts.tolist()),
        worst=_worst(texts, items, cycles, side, sampled),
    )


def _worst(
    texts: Float[Tensor, "texts dim"],
    items: Float[Tensor, "items dim"],
    cycles: Float[Tensor, " texts"],
    side: Side,
    sampled: Int[Tensor, " sampled"],
) -> tuple[WorstText, ...]:
    """The texts with the lowest cycle scores; of equal scores, those with the lowest cosine to their nearest item."""
    low = torch.argsort(cycles, stable=True)[:COVERAGE_TEXTS]
    cosines, nearest = (texts[low] @ items.T).max(1)
    shown = [(memory, int(row)) for memory, rows in side.spaced_items(MEMORY_ROWS) for row in rows]
    found = []
    for place in np.lexsort((cosines.numpy(), cycles[low].numpy()))[:WORST].tolist():
        item = int(nearest[place])
        back = int((texts @ items[item]).argmax())
        found.append(
            WorstText(
                text=shown_item(side.overlap, int(sampled[low[place]])),
                cycle=cycles[low[place]].item(),
                item=shown_item(*shown[item]),
                cosine=cosines[place].item(),
                leads_to=shown_item(side.overlap, int(sampled[back])),
            )
        )
    return tuple(found)
