"""Measure a connector without pairs: what its report says, from held-out overlap rows and the memories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.criteria import Kind, reciprocal_ranks, score, twins_mrr
from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.centred import CONSISTENCY_TEMPERATURE, CentredMaterials
from isthmus.connectors.pseudo.consistency import coverage
from isthmus.connectors.trust.estimate import band_from_criteria
from isthmus.connectors.trust.report import ConnectorReport, Coverage, Gap
from isthmus.connectors.trust.verdict import FEW_ITEMS, verdict
from isthmus.embeddings import Embeddings
from isthmus.metrics import hubness

HUBNESS_NEIGHBOURS = 10
COVERAGE_TEXTS = 1000

ProjectRows = Callable[[Tensor, int, str], Tensor]
"""Raw rows of side 0 or 1 and their modality, to unit joint rows."""


def measure(
    project: ProjectRows,
    materials: Materials,
    view: CentredMaterials,
    held: Int[Tensor, " held"],
    evidence: Evidence | None,
    coverages: tuple[Coverage, ...],
) -> ConnectorReport:
    """The report of a connector that was fitted without the held-out rows.

    ``view`` is the matched one, ``evidence`` and ``coverages`` are taken from it (`coverage_of`); without a memory on
    both sides there is no evidence.
    """
    sides = (materials.left, materials.right)
    text = materials.left.overlap.modality
    index = held.numpy()
    twins = [project(torch.from_numpy(side.overlap.take(index).vectors), s, text) for s, side in enumerate(sides)]
    scores = twins[0] @ twins[1].T
    own = torch.arange(len(held))
    first = (reciprocal_ranks(scores, own) == 1).float().mean() + (reciprocal_ranks(scores.T, own) == 1).float().mean()
    criteria: dict[str, float] = {}
    skew = None
    if evidence is not None:
        in_view = _in_view(project, view, materials)
        criteria = score(evidence, in_view)
        direct = in_view(evidence.items[0], 0, "item") @ in_view(evidence.items[1], 1, "item").T
        skew = hubness(direct.numpy(), HUBNESS_NEIGHBOURS)
    report = ConnectorReport(
        held_out=len(held),
        overlap_mrr=twins_mrr(*twins),
        overlap_r1=first.item() / 2,
        chance_mrr=float((1 / torch.arange(1, len(held) + 1)).mean()),
        gaps=_gaps(project, materials),
        coverage=coverages,
        hubness=skew,
        criteria=criteria,
        bands=(),
        verdict=(),
    )
    if criteria and report.found_twins and all(entry.rows >= FEW_ITEMS for entry in coverages):
        report = replace(report, bands=(band_from_criteria(criteria),))
    return replace(report, verdict=verdict(report))


def _in_view(
    project: ProjectRows, view: CentredMaterials, materials: Materials
) -> Callable[[Tensor, int, Kind], Tensor]:
    """The projection of a view's centred rows: each is put back where its modality lies in the space first.

    A centred unit row u came from centre + radius u, the radius being the typical distance of that modality's rows
    from their centre; so a connector with other centres than the view's can be judged on the view's evidence.
    """
    places: dict[tuple[int, Kind], tuple[str, Tensor | float, float]] = {}
    for number, side in enumerate((materials.left, materials.right)):
        known: dict[Kind, Embeddings | None] = {"text": side.overlap, "item": side.memory}
        for kind, rows in known.items():
            if rows is not None:
                centre = view.centres[number][rows.modality]
                radius = (sample(rows) - centre).norm(dim=-1).mean().item()
                places[number, kind] = (rows.modality, centre, radius)

    def project_centred(rows: Tensor, side: int, kind: Kind) -> Tensor:
        modality, centre, radius = places[side, kind]
        return project(functional.normalize(centre + radius * rows, dim=-1), side, modality)

    return project_centred


def coverage_of(view: CentredMaterials, materials: Materials) -> tuple[Coverage, ...]:
    """How each memory there is covers the texts."""
    sides = (materials.left, materials.right)
    return tuple(_coverage(view, s, side.memory) for s, side in enumerate(sides) if side.memory is not None)


def _coverage(view: CentredMaterials, side: int, memory: Embeddings) -> Coverage:
    rows = view.memories[side]
    assert rows is not None
    queries = view.texts[side][:COVERAGE_TEXTS]
    found = coverage(queries, TensorRows(rows), CONSISTENCY_TEMPERATURE)
    return Coverage(
        modality=memory.modality,
        rows=len(memory),
        top_cosine=found.top_cosine.median().item(),
        effective_neighbours=found.effective_neighbours.median().item(),
    )


def _gaps(project: ProjectRows, materials: Materials) -> tuple[Gap, ...]:
    """Of each memory to its side's overlap, and of the two memories to each other, which only meet after projection."""
    found, means = [], []
    for number, side in enumerate((materials.left, materials.right)):
        text, modality = sample(side.overlap), side.overlap.modality
        if side.memory is None:
            continue
        items = sample(side.memory)
        joint_text, joint_items = project(text, number, modality).mean(0), project(items, number, side.memory.modality)
        means.append((side.memory.modality, joint_items.mean(0)))
        before = (text.mean(0) - items.mean(0)).norm().item()
        found.append(Gap((modality, side.memory.modality), before, (joint_text - joint_items.mean(0)).norm().item()))
    if len(means) == 2:
        (left, mine), (right, other) = means
        found.append(Gap((left, right), None, (mine - other).norm().item()))
    return tuple(found)
