"""Centring: what to subtract from each modality before projection, so that the modality gap does not matter.

*Mean* centring subtracts each modality's mean. That is wrong if the memory is about other things than the texts: it
then removes a difference of content along with the gap. *Matched* centring subtracts only the part of the mean that
content does not explain.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.base.progress import begin
from isthmus.connectors.config import Centring
from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import Recentred, RowSource, Stacked, spaced_rows
from isthmus.embeddings import Embeddings

MATCH_TEMPERATURE = 0.02
MATCH_ITERATIONS = 5
MATCH_ROWS = 256
"""Items matched at once: their weights stay in cache, which makes matching more than twice as fast."""
SAMPLE_ROWS = 5000
"""A centre is a mean: its error falls with the root of the rows, so a sample of a large memory is enough."""


def centres(materials: Materials, kind: Centring) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Each side's centres by modality, ``(dim,)`` each: of the overlap and, if the side has one, of the memory."""
    if kind == "none":
        return {}, {}
    return side_centres(materials.left, kind), side_centres(materials.right, kind)


def side_centres(side: Side, kind: Centring) -> dict[str, Tensor]:
    """One side's centres by modality."""
    begin(f"centring {side.space}")
    texts = sample(side.overlap)
    found = {side.overlap.modality: texts.mean(0)}
    for memory in side.memories:
        items = sample(memory)
        found[memory.modality] = matched_centre(items, texts) if kind == "matched" else items.mean(0)
    return found


def centred_memory(side: Side, own: Mapping[str, Tensor]) -> RowSource:
    """All memories of a side that has one, each less its own centre, one after another."""
    parts = tuple(Recentred(memory, own.get(memory.modality)) for memory in side.memories)
    return parts[0] if len(parts) == 1 else Stacked(parts)


def memory_sample(side: Side, own: Mapping[str, Tensor], rows: int) -> Float[Tensor, "sample dim"]:
    """About so many rows of `centred_memory`, of each memory in proportion to its size."""
    return torch.cat(
        [
            recentred(torch.from_numpy(memory.take(numbers).vectors), own.get(memory.modality))
            for memory, numbers in side.spaced_items(rows)
        ]
    )


def matched_centre(items: Float[Tensor, "items dim"], texts: Float[Tensor, "texts dim"]) -> Float[Tensor, " dim"]:
    """The mean of the items, corrected for what the items are about.

    ``mean(items) - (mean of the texts softly matched to the items - mean(texts))``. The items are matched after
    subtracting the centre found so far, five times in turn.
    """
    text_centre = texts.mean(0)
    centred_texts = recentred(texts, text_centre)
    item_mean = items.mean(0)
    centre = item_mean
    for _ in range(MATCH_ITERATIONS):
        use_of_text = torch.zeros(len(texts))
        for block in recentred(items, centre).split(MATCH_ROWS):
            use_of_text += soft_match(block, centred_texts, MATCH_TEMPERATURE).sum(0)
        centre = item_mean - (use_of_text / len(items) @ texts - text_centre)
    return centre


def soft_match(
    queries: Float[Tensor, "queries dim"], keys: Float[Tensor, "keys dim"], temperature: float
) -> Float[Tensor, "queries keys"]:
    """The weight of every key for each query: a softmax over the keys of their cosines, divided by the temperature.

    The whole matrix is held in memory; `pseudo.exact` gives means with these weights over memories of any size.
    """
    return torch.softmax(queries @ keys.T / temperature, dim=-1)


def sample(embeddings: Embeddings, rows: int = SAMPLE_ROWS) -> Float[Tensor, "sample dim"]:
    """At most ``rows`` rows, evenly spaced."""
    if len(embeddings) <= rows:
        return torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
    return torch.from_numpy(embeddings.take(spaced_rows(len(embeddings), rows)).vectors)
