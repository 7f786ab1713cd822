"""Fit one closed form to all materials, streaming: the linear methods `procrustes`, `ridge` and `cca`."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from isthmus.connecting.batches import Recentred, RowSource, blocks
from isthmus.connecting.candidates import Candidate, fit_maps, linear_member
from isthmus.connecting.centring import centres
from isthmus.connecting.closed_forms import Moments, moments
from isthmus.connecting.config import CcaConfig, ConsistencyConfig, ProcrustesConfig, RidgeConfig
from isthmus.connecting.consistency import PseudoRows, pseudo_rows
from isthmus.connecting.materials import Materials, Side
from isthmus.connecting.member import Member

BLOCK_ROWS = 8192
CPU = torch.device("cpu")


def fit_linear(materials: Materials, config: ProcrustesConfig | RidgeConfig | CcaConfig) -> Member:
    """Fit a closed form to every row of the overlap. Without a memory on a side, only the overlap's pairs are used."""
    candidate = as_candidate(config)
    if materials.left.memory is None or materials.right.memory is None:
        candidate = Candidate(candidate.method, candidate.centring, "overlap", candidate.penalty, candidate.power)
    own = centres(materials, candidate.centring)
    return linear_member(candidate, fit_maps(candidate, _moments(materials, own, candidate)), own)


def as_candidate(config: ProcrustesConfig | RidgeConfig | CcaConfig) -> Candidate:
    """The candidate a config describes."""
    match config:
        case ProcrustesConfig():
            return Candidate("procrustes", config.centring, config.source)
        case RidgeConfig():
            return Candidate("ridge", config.centring, config.source, config.penalty)
        case CcaConfig():
            return Candidate("cca", config.centring, config.source, config.penalty, config.power)


def _moments(materials: Materials, own: tuple[dict[str, Tensor], dict[str, Tensor]], candidate: Candidate) -> Moments:
    texts = [
        Recentred(side.overlap, centre.get(side.overlap.modality))
        for side, centre in zip((materials.left, materials.right), own, strict=True)
    ]
    native = moments(_paired(texts[0], texts[1])) if candidate.source != "pseudo" else None
    if candidate.source == "overlap":
        assert native is not None
        return native
    found = [
        _pseudo(side, text, centre)
        for side, text, centre in zip((materials.left, materials.right), texts, own, strict=True)
    ]
    retrieved = moments(_paired(found[0], found[1]))
    return retrieved if native is None else native + retrieved


def _pseudo(side: Side, texts: Recentred, own: dict[str, Tensor]) -> PseudoRows:
    assert side.memory is not None
    memory = Recentred(side.memory, own.get(side.memory.modality))
    return pseudo_rows(texts, memory, ConsistencyConfig(), device=CPU)


def _paired(left: RowSource, right: RowSource) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(blocks(left, BLOCK_ROWS, CPU), blocks(right, BLOCK_ROWS, CPU), strict=True)
