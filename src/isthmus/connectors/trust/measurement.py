"""The figures of a connector's report, measured without pairs on held-out overlap rows and on the memories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.criteria import Kind, counterpart_mrr, reciprocal_ranks, score
from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.member import RowProjection
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.pseudo.centred import CentredMaterials
from isthmus.connectors.trust.estimate import band_from_criteria
from isthmus.connectors.trust.examples import found_items
from isthmus.connectors.trust.figures import Coverage, Gap, Half
from isthmus.connectors.trust.report import ConnectorReport
from isthmus.connectors.trust.shown import media_of
from isthmus.connectors.trust.verdict import verdict, why_no_estimate
from isthmus.embeddings import Embeddings
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
    own = torch.arange(len(held))
    hits = (reciprocal_ranks(scores, own) == 1).float().mean() + (reciprocal_ranks(scores.T, own) == 1).float().mean()
    criteria: dict[str, float] = {}
    skew = None
    if evidence is not None:
        project_centred = _centred_projection(project, centred, materials)
        criteria = score(evidence, project_centred)
        direct = project_centred(evidence.items[0], 0, "item") @ project_centred(evidence.items[1], 1, "item").T
        skew = hubness(direct.numpy(), HUBNESS_NEIGHBOURS)
    report = ConnectorReport(
        held_out=len(held),
        overlap_mrr=counterpart_mrr(*pairs),
        overlap_r1=hits.item() / 2,
        chance_mrr=float((1 / torch.arange(1, len(held) + 1)).mean()),
        gaps=_gaps(project, materials),
        coverage=coverages,
        hubness=skew,
        criteria=criteria,
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
    missing = why_no_estimate(report, vary)
    report = replace(report, no_estimate=missing, bands=() if missing else (band_from_criteria(criteria),))
    shown = [rows for side in sides for rows in (side.overlap, *side.memories)]
    return replace(report, verdict=verdict(report), media=media_of(report, shown))


def _centred_projection(
    project: RowProjection, centred: CentredMaterials, materials: Materials
) -> Callable[[Tensor, int, Kind], Tensor]:
    """The projection of centred rows, by a connector that may centre differently.

    The evidence holds centred unit rows u, but the connector takes raw rows: it gets centre + radius u, the radius
    being the mean distance of that modality's rows from their centre.
    """
    places: dict[tuple[int, Kind], tuple[str, Tensor | float, float]] = {}
    for number, side in enumerate((materials.left, materials.right)):
        known: dict[Kind, Embeddings | None] = {"text": side.overlap, "item": side.memory}
        for kind, rows in known.items():
            if rows is not None:
                centre = centred.centres[number][rows.modality]
                radius = (sample(rows) - centre).norm(dim=-1).mean().item()
                places[number, kind] = (rows.modality, centre, radius)

    def project_centred(rows: Tensor, side: int, kind: Kind) -> Tensor:
        modality, centre, radius = places[side, kind]
        return project(functional.normalize(centre + radius * rows, dim=-1), side, modality)

    return project_centred


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
