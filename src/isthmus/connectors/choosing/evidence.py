"""Evidence: what connectors are judged by, without a single pair of the two unshared modalities.

It holds texts that no method was fitted to, and for each text a *simulated item*: a row with the mean and covariance of
the memory's items, of which as much shows the text as the items of the memory show of texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.member import recentred
from isthmus.connectors.methods.closed_forms import span_of
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials

ITEMS = 1200
"""Memory items that take part: enough for the share of mutual neighbours and for hubness."""
LEAST_SHARE = 0.02
SMALLEST = 1e-300
"""Least denominator of a slope: texts that vary alike in all directions have none, and get the least share."""


@dataclass(frozen=True)
class Evidence:
    """Rows to project, as they are in their spaces; every pair is (left, right).

    Args:
        overlap: The overlap modality.
        modalities: The modalities of the memories.
        texts: Held-out overlap rows.
        simulated: A simulated item for each of them.
        items: Items of the memories.
    """

    overlap: str
    modalities: tuple[str, str]
    texts: tuple[Float[Tensor, "held dl"], Float[Tensor, "held dr"]]
    simulated: tuple[Float[Tensor, "held dl"], Float[Tensor, "held dr"]]
    items: tuple[Float[Tensor, "left dl"], Float[Tensor, "right dr"]]


def gather_evidence(
    materials: Materials, fitted: Int[Tensor, " fitted"], held: Int[Tensor, " held"], *, seed: int
) -> Evidence | None:
    """The evidence of materials whose ``held`` overlap rows no method may be fitted to; None if a side has no memory.

    Of several memories of a side, the largest takes part.
    """
    left, right = (max(side.memories, key=len, default=None) for side in (materials.left, materials.right))
    if left is None or right is None:
        return None
    draw = torch.Generator().manual_seed(seed)
    known, asked = materials.taken(fitted.numpy()), materials.taken(held.numpy())
    items = [sample(memory) for memory in (left, right)]
    texts = [torch.from_numpy(side.overlap.vectors) for side in (asked.left, asked.right)]
    simulated = [
        simulated_items(own, sample(side.overlap), memory, draw)
        for own, side, memory in zip(texts, (known.left, known.right), items, strict=True)
    ]
    some = [memory[torch.randperm(len(memory), generator=draw)[:ITEMS]] for memory in items]
    return Evidence(
        materials.left.overlap.modality,
        (left.modality, right.modality),
        (texts[0], texts[1]),
        (simulated[0], simulated[1]),
        (some[0], some[1]),
    )


def simulated_items(
    texts: Float[Tensor, "texts dim"],
    known: Float[Tensor, "known dim"],
    memory: Float[Tensor, "items dim"],
    draw: torch.Generator,
) -> Float[Tensor, "texts dim"]:
    """An item of the memory's modality for each text: ``normalize(m + r normalize(√a t + noise))``.

    t is the text after subtracting the mean of the ``known`` texts, m the mean of the items and r their mean distance
    from it. The noise is Gaussian and gives the rows the items' covariance. Along the texts' principal axes the items'
    variance is a times the texts' variance plus a constant, so the share a is the slope of a regression. All rows are
    unit rows of one space.
    """
    text_centre, centre = known.mean(0), memory.mean(0)
    radius = (memory - centre).norm(dim=-1).mean()
    shown, known, items = recentred(texts, text_centre), recentred(known, text_centre), recentred(memory, centre)
    span = span_of(torch.cat((known, items)))
    of_texts, of_items = _covariance(known, span), _covariance(items, span)
    variances, axes = torch.linalg.eigh(of_texts)
    along = ((axes.T @ of_items) * axes.T).sum(1)
    outside = torch.zeros(texts.shape[1] - len(variances), dtype=variances.dtype)
    variances, along = torch.cat((variances, outside)), torch.cat((along, outside))
    spread = variances - variances.mean()
    agreement = (spread * (along - along.mean())).sum()
    share = (agreement / (spread**2).sum().clamp(min=SMALLEST)).clamp(LEAST_SHARE, 1)
    noise = _gaussian(of_items - share * of_texts, len(texts), draw, span)
    found = functional.normalize(share.sqrt().float() * shown + noise, dim=-1)
    return functional.normalize(centre + radius * found, dim=-1)


def _covariance(rows: Float[Tensor, "rows dim"], span: Float[Tensor, "dim few"] | None) -> Float[Tensor, "_ _"]:
    """The covariance of rows, of their coordinates if there is a span; float64."""
    return torch.cov((rows if span is None else rows.double() @ span).T).double()


def _gaussian(
    covariance: Float[Tensor, "some some"],
    count: int,
    draw: torch.Generator,
    span: Float[Tensor, "dim some"] | None,
) -> Float[Tensor, "count dim"]:
    """Gaussian rows with the nearest positive semidefinite covariance, which may be that of coordinates in a span."""
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp(min=0).sqrt()
    root = (root if span is None else span @ root).float()
    return torch.randn(count, root.shape[1], generator=draw) @ root.T
