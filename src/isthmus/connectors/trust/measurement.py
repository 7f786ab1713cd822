"""The figures of a connector's report, measured without pairs on held-out overlap rows and on the memories."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.connectors.choosing.chain import Chain, chain_of, counterpart_mrr, reciprocal_ranks
from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.member import RowProjection
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.pseudo.centred import CentredMaterials
from isthmus.connectors.trust.abstention import why_no_estimate
from isthmus.connectors.trust.estimate import band_from_chain
from isthmus.connectors.trust.examples import found_items
from isthmus.connectors.trust.figures import Coverage, Gap, Half
from isthmus.connectors.trust.report import ConnectorReport
from isthmus.connectors.trust.shown import media_of
from isthmus.connectors.trust.verdict import verdict
from isthmus.embeddings.health import varying_directions
from isthmus.metrics import hubness

HUBNESS_NEIGHBOURS = 10


def measure(
    project: RowProjection,
    materials: Materials,
    centred: CentredMaterials,
    held: Int[Tensor, " held"],
    evidence: Evidence | None,
    coverages: tuple[Coverage, ...],
    half: Half | None,
) -> ConnectorReport:
    """The report of a connector that was fitted without the held-out rows.

    ``evidence`` (None without a memory on both sides), ``coverages`` (`coverage_of`) and ``half`` (`half_of`) come from
    ``centred``, the materials with matched centring.
    """
    sides = (materials.left, materials.right)
    overlap = materials.left.overlap.modality
    index = held.numpy()
    pairs = [project(torch.from_numpy(side.overlap.take(index).vectors), s, overlap) for s, side in enumerate(sides)]
    scores = pairs[0] @ pairs[1].T
    hits = (reciprocal_ranks(scores) == 1).float().mean() + (reciprocal_ranks(scores.T) == 1).float().mean()
    chain: Chain | None = None
    skew = None
    if evidence is not None:
        chain = chain_of(evidence, project)
        items = [project(rows, side, evidence.modalities[side]) for side, rows in enumerate(evidence.items)]
        skew = hubness((items[0] @ items[1].T).numpy(), HUBNESS_NEIGHBOURS)
    report = ConnectorReport(
        held_out=len(held),
        overlap_mrr=counterpart_mrr(pairs[0], pairs[1]),
        overlap_r1=hits.item() / 2,
        chance_mrr=float((1 / torch.arange(1, len(held) + 1)).mean()),
        gaps=_gaps(project, materials),
        coverage=coverages,
        hubness=skew,
        criteria={} if chain is None else chain.as_dict(),
        bands=(),
        verdict=(),
        overlap=overlap,
        spaces=tuple(side.space for side in sides),
        rows=len(materials.left.overlap),
        dims=tuple(side.overlap.dim for side in sides),
        half=half,
        examples=found_items(project, materials),
    )
    vary = {side.space: varying_directions(own.numpy()) for side, own in zip(sides, centred.texts, strict=True)}
    band = None if chain is None else band_from_chain(chain)
    missing = why_no_estimate(report, vary, band)
    report = replace(report, no_estimate=missing, bands=() if missing or band is None else (band,))
    shown = [rows for side in sides for rows in (side.overlap, *side.memories)]
    return replace(report, verdict=verdict(report), media=media_of(report, shown))


def _gaps(project: RowProjection, materials: Materials) -> tuple[Gap, ...]:
    """The gap between overlap and memories of each side, and between the memories, which only the joint space has."""
    found: list[Gap] = []
    means: list[list[tuple[str, Tensor]]] = [[], []]
    for number, side in enumerate((materials.left, materials.right)):
        text, modality = sample(side.overlap), side.overlap.modality
        joint_text = project(text, number, modality).mean(0) if side.memories else text
        for memory in side.memories:
            items = sample(memory)
            joint_items = project(items, number, memory.modality).mean(0)
            means[number].append((memory.modality, joint_items))
            before, after = (text.mean(0) - items.mean(0)).norm().item(), (joint_text - joint_items).norm().item()
            found.append(Gap((modality, memory.modality), before, after, side.space))
    found += [
        Gap((left, right), None, (mine - other).norm().item()) for left, mine in means[0] for right, other in means[1]
    ]
    return tuple(found)
