"""Evidence: the rows on which connectors are compared without a single pair of the two unshared modalities.

It is made once per centring from held-out texts and a sample of both memories; `criteria` then scores connectors on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.methods.closed_forms import span_of
from isthmus.connectors.overlap.centring import soft_match
from isthmus.connectors.pseudo.centred import CentredMaterials

ITEMS = 1200
"""Items of each memory that criteria use: enough for a rank in a gallery of a thousand."""
SIMULATED = 400
MIX_TEMPERATURE = 0.02
CHAIN_TEMPERATURE = 0.05
LEAST_SHARE = 0.02
SMALLEST = 1e-300
"""Least denominator of a slope: texts that vary alike in all directions have none, and get the least share."""


@dataclass(frozen=True)
class Evidence:
    """Centred rows to project, and native references to compare with; every field is a pair (left, right).

    Args:
        texts: Held-out texts.
        pseudo: Their pseudo counterparts.
        noisy: Pseudo counterparts plus noise with the part of the memory's covariance that they lack.
        shown: Held-out texts with scale and noise that give them the memory's covariance.
        items: Sampled memory items.
        simulated: For the first left items a simulated right counterpart, and the reverse.
        native: Cosines of held-out texts to items inside each space.
        chained: Cosines of each side's items to the other side's items, through the texts' counterparts.
    """

    texts: tuple[Float[Tensor, "held dl"], Float[Tensor, "held dr"]]
    pseudo: tuple[Float[Tensor, "held dl"], Float[Tensor, "held dr"]]
    noisy: tuple[Float[Tensor, "held dl"], Float[Tensor, "held dr"]]
    shown: tuple[Float[Tensor, "held dl"], Float[Tensor, "held dr"]]
    items: tuple[Float[Tensor, "left dl"], Float[Tensor, "right dr"]]
    simulated: tuple[Float[Tensor, "few dr"], Float[Tensor, "few dl"]]
    native: tuple[Float[Tensor, "held left"], Float[Tensor, "held right"]]
    chained: tuple[Float[Tensor, "left right"], Float[Tensor, "right left"]]


def gather_evidence(
    centred: CentredMaterials, fitted: Int[Tensor, " fitted"], held: Int[Tensor, " held"], *, seed: int
) -> Evidence:
    """Evidence from centred materials with both memories; the ``held`` texts must not be used to fit."""
    draw = torch.Generator().manual_seed(seed)
    left, right = centred.memories
    left_pseudo, right_pseudo = centred.pseudo
    if left is None or right is None or left_pseudo is None or right_pseudo is None:
        raise ValueError("evidence needs a memory on both sides")
    items = (_sampled(left, ITEMS, draw), _sampled(right, ITEMS, draw))
    texts = (centred.texts[0][held], centred.texts[1][held])
    known = (centred.texts[0][fitted], centred.texts[1][fitted])
    pseudo = (left_pseudo[held], right_pseudo[held])
    missing = (
        _missing_noise(left, left_pseudo[fitted], len(held), draw),
        _missing_noise(right, right_pseudo[fitted], len(held), draw),
    )
    few = min(SIMULATED, len(items[0]), len(items[1]))
    return Evidence(
        texts=texts,
        pseudo=pseudo,
        noisy=(_unit(pseudo[0] + missing[0]), _unit(pseudo[1] + missing[1])),
        shown=(_shown(texts[0], known[0], left, draw), _shown(texts[1], known[1], right, draw)),
        items=items,
        simulated=(
            _simulated(items[0], known[0], known[1], items[1], known[1], few, draw),
            _simulated(items[1], known[1], known[0], items[0], known[0], few, draw),
        ),
        native=(texts[0] @ items[0].T, texts[1] @ items[1].T),
        chained=(
            _carried(items[0], known[0], known[1], CHAIN_TEMPERATURE) @ items[1].T,
            _carried(items[1], known[1], known[0], CHAIN_TEMPERATURE) @ items[0].T,
        ),
    )


def _unit(rows: Tensor) -> Tensor:
    return functional.normalize(rows, dim=-1)


def _sampled(rows: Tensor, count: int, draw: torch.Generator) -> Tensor:
    return rows[torch.randperm(len(rows), generator=draw)[:count]]


def _missing_noise(memory: Tensor, pseudo: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """Gaussian rows with covariance [cov(memory) - cov(pseudo)]₊: the variance that averaging removed."""
    span = span_of(torch.cat((memory, pseudo)))
    return _gaussian(_covariance(memory, span) - _covariance(pseudo, span), count, draw, span)


def _shown(texts: Tensor, known: Tensor, memory: Tensor, draw: torch.Generator) -> Tensor:
    """Texts transformed to resemble memory items: √a text + noise, with the memory's covariance.

    Along the texts' principal axes the items' variance is a times the texts' variance plus a constant (noise), so the
    share a is the slope of a regression.
    """
    span = span_of(torch.cat((known, memory)))
    of_texts, of_items = _covariance(known, span), _covariance(memory, span)
    variances, axes = torch.linalg.eigh(of_texts)
    along = ((axes.T @ of_items) * axes.T).sum(1)
    outside = torch.zeros(texts.shape[1] - len(variances), dtype=variances.dtype)
    variances, along = torch.cat((variances, outside)), torch.cat((along, outside))
    spread = variances - variances.mean()
    agreement = (spread * (along - along.mean())).sum()
    share = (agreement / (spread**2).sum().clamp(min=SMALLEST)).clamp(LEAST_SHARE, 1)
    noise = _gaussian(of_items - share * of_texts, len(texts), draw, span)
    return _unit(share.sqrt().float() * texts + noise)


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


def _carried(items: Tensor, own_texts: Tensor, other_texts: Tensor, temperature: float) -> Tensor:
    """Items carried to the other space: the weighted mean of the counterparts of the texts that they match."""
    return _unit(soft_match(items, own_texts, temperature) @ other_texts)


def _simulated(
    items: Tensor,
    own_texts: Tensor,
    other_texts: Tensor,
    other_items: Tensor,
    other_space_texts: Tensor,
    count: int,
    draw: torch.Generator,
) -> Tensor:
    """A simulated counterpart of each item: its texts' counterparts, plus the part of a random item not in text."""
    content = soft_match(items[:count], own_texts, MIX_TEMPERATURE) @ other_texts
    beyond = other_items - soft_match(other_items, other_space_texts, MIX_TEMPERATURE) @ other_space_texts
    return _unit(content + beyond[torch.randperm(len(beyond), generator=draw)[:count]])
