"""Centring: what is subtracted from each modality before projection, so that a modality gap does not decide.

*Mean* centring subtracts each modality's mean. That is wrong when the memory speaks of other things than the
texts: the difference of content is then removed along with the gap. *Matched* centring subtracts only the part
of the mean that content does not explain.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.config import Centring
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.embeddings import Embeddings

MATCH_TEMPERATURE = 0.02
MATCH_ITERATIONS = 5
MATCH_ROWS = 256
"""Items matched at once: their weights stay in cache, which makes matching more than twice as fast."""
SAMPLE_ROWS = 5000
"""A centre is a mean: its error falls with the root of the rows, so a sample of a large memory is enough."""


def recentred(rows: Float[Tensor, "rows dim"], centre: Float[Tensor, " dim"]) -> Float[Tensor, "rows dim"]:
    """Unit rows after subtracting the centre."""
    return functional.normalize(rows - centre, dim=-1)


def matched_centre(items: Float[Tensor, "items dim"], texts: Float[Tensor, "texts dim"]) -> Float[Tensor, " dim"]:
    """The items' centre, corrected for what they are about.

    ``mean(items) - (mean of the texts softly matched to the items - mean(texts))``, with the matching done in
    the space so centred (softmax over the texts at temperature 0.02), iterated five times.
    """
    text_centre = texts.mean(0)
    centred_texts = recentred(texts, text_centre)
    item_mean = items.mean(0)
    centre = item_mean
    for _ in range(MATCH_ITERATIONS):
        use_of_text = torch.zeros(len(texts))
        for block in recentred(items, centre).split(MATCH_ROWS):
            use_of_text += torch.softmax(block @ centred_texts.T / MATCH_TEMPERATURE, dim=-1).sum(0)
        centre = item_mean - (use_of_text / len(items) @ texts - text_centre)
    return centre


def centres(materials: Materials, kind: Centring) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Each side's centres by modality, ``(dim,)`` each: of the overlap, and of the memory where there is one."""
    if kind == "none":
        return {}, {}
    return _side_centres(materials.left, kind), _side_centres(materials.right, kind)


def _side_centres(side: Side, kind: Centring) -> dict[str, Tensor]:
    texts = sample(side.overlap)
    found = {side.overlap.modality: texts.mean(0)}
    if side.memory is not None:
        items = sample(side.memory)
        found[side.memory.modality] = matched_centre(items, texts) if kind == "matched" else items.mean(0)
    return found


def sample(embeddings: Embeddings, rows: int = SAMPLE_ROWS) -> Float[Tensor, "sample dim"]:
    """At most ``rows`` rows, evenly spaced."""
    if len(embeddings) <= rows:
        return torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
    spaced = np.linspace(0, len(embeddings) - 1, rows).astype(np.int64)
    return torch.from_numpy(embeddings.take(spaced).vectors)
