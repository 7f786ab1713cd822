"""A joint space for more than two: canonical correlations of all spaces at once.

They need every row in every space, but a row of an overlap has vectors in two spaces only. Semantic consistency gives
it one in the next space: the softmax-weighted mean there of the overlap items it resembles here. Applied along the
tree of overlaps this reaches all spaces, without any pair of modalities that share no space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.base.progress import begin
from isthmus.connectors.config import CcaConfig, Centring, ConsistencyConfig
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.overlap_tree import (
    Edge,
    EmbeddingSet,
    Sets,
    aligned,
    by_space,
    overlap_tree,
)
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.connectors.member import Head, Member, project_blend, recentred
from isthmus.connectors.methods.closed_forms import in_range, inverse_root, span_of
from isthmus.connectors.methods.projectors import linear_map
from isthmus.connectors.narrowing import LOST, leading_directions
from isthmus.connectors.narrowing import ROWS as BASIS_ROWS
from isthmus.connectors.overlap.agreement import require_agreement
from isthmus.connectors.overlap.centring import matched_centre, sample
from isthmus.connectors.overlap.directions import warn_of_other_model
from isthmus.connectors.overlap.materials import memories_of, require_varied
from isthmus.connectors.overlap.rows import RowSource, TensorRows, evenly_spaced, read
from isthmus.connectors.pseudo.consistency import pseudo_rows
from isthmus.connectors.pseudo.cycle import KEY_TEXTS, cycle_scores, pair_weights
from isthmus.embeddings import Embeddings

CPU = torch.device("cpu")
OVERLAP_ROWS = 12_000
MEMORY_ROWS = 20_000
SETTINGS = tuple((penalty, power) for penalty in (0.0003, 0.001, 0.003) for power in (0.5, 1.0))
"""Ridges and powers that are blended by default: no single one wins (docs/benchmarks.md)."""
Rows = Mapping[str, Tensor]
"""The same rows in every space, by the space's name."""


@dataclass(frozen=True)
class Centred:
    """An embedding set with the centres of its modalities."""

    centres: dict[str, Tensor]
    own: EmbeddingSet

    def rows(self, embeddings: Embeddings) -> Float[Tensor, "rows dim"]:
        """Centred unit rows of embeddings of this set."""
        centre = self.centres.get(embeddings.modality)
        found = torch.from_numpy(np.ascontiguousarray(embeddings.vectors))
        return found if centre is None else recentred(found, centre)

    def memory(self, overlap: str) -> RowSource | None:
        """Centred rows of the largest modality other than the overlap, at most `MEMORY_ROWS` of them."""
        memories = memories_of(self.own, overlap)
        if not memories:
            return None
        largest = memories[0]
        spaced = np.linspace(0, len(largest) - 1, min(MEMORY_ROWS, len(largest))).astype(np.int64)
        return TensorRows(self.rows(largest.take(spaced)))


@dataclass(frozen=True)
class JointBlock:
    """The same rows in every space, by space; ``weights``, ``(rows,)``, count each once if there are none."""

    rows: Rows
    weights: Float[Tensor, " rows"] | None = None

    @property
    def weight(self) -> float:
        """The sum of the weights."""
        return float(len(next(iter(self.rows.values()))) if self.weights is None else self.weights.double().sum())

    def scaled(self) -> Rows:
        """The rows times the root of their weights."""
        if self.weights is None:
            return self.rows
        roots = self.weights.sqrt()[:, None]
        return {space: own * roots for space, own in self.rows.items()}


def fit_joint(
    sets: Sequence[EmbeddingSet],
    config: CcaConfig | None = None,
    *,
    base: str | None = None,
    seed: int = 0,
    force: bool = False,
) -> SpaceGraph:
    """One new space for all sets. Without a config, several settings are blended.

    The tree of overlaps starts at ``base``, by default the first set's space. Raises as `overlap_tree` and
    `require_agreement`.
    """
    named = by_space(sets)
    root = base or next(iter(named))
    named = dict(sorted(named.items()))
    edges = overlap_tree(named, root)
    for space, own in named.items():
        for rows in own.values():
            require_varied(rows, f"the {rows.modality} rows of {space!r}")
    _compare(named, edges, force)
    centring: Centring = config.centring if config else "matched"
    begin("centring")
    centred = {
        space: Centred(_centres(own, _main_overlap(edges, space), centring), own) for space, own in named.items()
    }
    blocks = [block for edge in edges for block in _blocks(named, centred, edges, edge, config)]
    begin("fitting")
    settings = SETTINGS if config is None else ((config.penalty, config.power),)
    spectra = moments_of(blocks)
    heads = [_heads(canonical_maps(spectra, penalty, power), centred) for penalty, power in settings]
    weights = (1.0,) * len(heads)
    basis = _basis(heads, weights, named)
    asked = {"method": "cca", "seed": seed, **({} if config is None else asdict(config))}
    legs = [
        Connector(
            left_space=root,
            right_space=edge.leaf,
            overlap=edge.overlap,
            members=tuple(Member(own[root], own[edge.leaf], "cca", "both") for own in heads),
            weights=weights,
            config=asked,
            basis=basis,
            revisions={space: next(iter(named[space].values())).revision for space in (root, edge.leaf)},
        )
        for edge in edges
    ]
    return SpaceGraph("joint", root, tuple(legs), {edge.leaf: edge.parent for edge in edges})


def _compare(sets: Sets, edges: Sequence[Edge], force: bool) -> None:
    """Check the overlap of every edge, and every memory against the overlap of its space."""
    begin("comparing the overlaps")
    for edge in edges:
        require_agreement(sets[edge.parent][edge.overlap], sets[edge.leaf][edge.overlap], force=force)
    for space, own in sets.items():
        overlap = _main_overlap(edges, space)
        for memory in memories_of(own, overlap)[:1]:
            warn_of_other_model(own[overlap], memory)


def _main_overlap(edges: Sequence[Edge], space: str) -> str:
    """The modality of a space's largest overlap."""
    touching = [edge for edge in edges if space in (edge.parent, edge.leaf)]
    return min(touching, key=lambda edge: (-edge.rows, edge.overlap)).overlap


def _centres(own: EmbeddingSet, overlap: str, kind: Centring) -> dict[str, Tensor]:
    """A centre for each modality: the mean of the overlap, and for the others centres matched to it."""
    if kind == "none":
        return {}
    first = sample(own[overlap])
    rows = {modality: sample(embeddings) for modality, embeddings in own.items()}
    matched = kind == "matched"
    return {
        modality: matched_centre(items, first) if matched and modality != overlap else items.mean(0)
        for modality, items in rows.items()
    }


def _blocks(
    sets: Sets, centred: Mapping[str, Centred], edges: Sequence[Edge], edge: Edge, config: CcaConfig | None
) -> list[JointBlock]:
    """An overlap's rows in every space, and their pseudo counterparts in the memory of every space."""
    parent, leaf = aligned(sets, edge, OVERLAP_ROWS)
    native: dict[str, Tensor] = {
        edge.parent: centred[edge.parent].rows(parent),
        edge.leaf: centred[edge.leaf].rows(leaf),
    }
    while len(native) < len(sets):
        for other in edges:
            for near, far in ((other.parent, other.leaf), (other.leaf, other.parent)):
                if near in native and far not in native:
                    native[far] = _carried(native[near], sets, centred, other, near, far)
    source = "both" if config is None else config.source
    blocks: list[JointBlock] = []
    if source != "pseudo":
        blocks.append(JointBlock(native))
    if source != "overlap":
        pseudo = {space: _pseudo(rows, centred[space], edge.overlap) for space, rows in native.items()}
        weights = None
        if config is None or config.pair_weights == "cycle":
            weights = _cycle_weights(native, pseudo, centre=config is not None and config.centring == "none")
        blocks.append(JointBlock(pseudo, weights))
    return blocks


def _cycle_weights(native: Rows, pseudo: Rows, *, centre: bool) -> Float[Tensor, " rows"]:
    """The weight of each row's pseudo counterparts, over all spaces; rows that are not centred yet lose their means."""
    scores = []
    for space, rows in native.items():
        own, other = (recentred(each, each.mean(0) if centre else None) for each in (rows, pseudo[space]))
        scores.append(cycle_scores(own, other, evenly_spaced(TensorRows(own), KEY_TEXTS, CPU)))
    return pair_weights(*scores)


def _carried(rows: Tensor, sets: Sets, centred: Mapping[str, Centred], edge: Edge, near: str, far: str) -> Tensor:
    """Rows of space ``near`` in space ``far``: weighted means of the overlap's items there."""
    found = dict(zip((edge.parent, edge.leaf), aligned(sets, edge, MEMORY_ROWS), strict=True))
    keys, values = TensorRows(centred[near].rows(found[near])), TensorRows(centred[far].rows(found[far]))
    carried = pseudo_rows(TensorRows(rows), keys, ConsistencyConfig(), values=values, device=CPU)
    return torch.nn.functional.normalize(read(carried, CPU), dim=-1)


def _pseudo(rows: Tensor, own: Centred, overlap: str) -> Tensor:
    """The rows' pseudo counterparts in the memory; the rows themselves if the set has no memory."""
    memory = own.memory(overlap)
    if memory is None:
        return rows
    return read(pseudo_rows(TensorRows(rows), memory, ConsistencyConfig(), device=CPU), CPU)


@dataclass(frozen=True)
class JointMoments:
    """Second moments of the same rows in several spaces: within each, and across every two; float64.

    Of a space with a span they are those of coordinates (see `closed_forms`).
    """

    within: Mapping[str, Float[Tensor, "_ _"]]
    across: Mapping[tuple[str, str], Float[Tensor, "_ _"]]
    spans: Mapping[str, Tensor | None]


def moments_of(blocks: Sequence[JointBlock]) -> JointMoments:
    """Weighted moments over the rows of all blocks."""
    total = sum(block.weight for block in blocks)
    spaces = list(blocks[0].rows)
    spans = {space: span_of(torch.cat([block.rows[space] for block in blocks])) for space in spaces}
    scaled = [block.scaled() for block in blocks]
    if any(span is not None for span in spans.values()):
        scaled = [{space: _coordinates(rows[space], spans[space]) for space in spaces} for rows in scaled]
    within = {s: sum((rows[s].T @ rows[s]).double() for rows in scaled) / total for s in spaces}
    pairs = list(combinations(spaces, 2))
    across = {(s, t): sum((rows[s].T @ rows[t]).double() for rows in scaled) / total for s, t in pairs}
    return JointMoments(within, across, spans)  # type: ignore[arg-type]


def _coordinates(rows: Tensor, span: Tensor | None) -> Float[Tensor, "rows _"]:
    return rows.double() if span is None else rows.double() @ span


def canonical_maps(moments: JointMoments, penalty: float, power: float) -> dict[str, Float[Tensor, "_ joint"]]:
    """Each space's map onto the directions in which the spaces agree most, weighted by agreement to ``power``.

    They maximise the sum of correlations over every two spaces (SUMCOR with one norm for all, Kettenring 1971) and
    are the leading eigenvectors of the whitened cross moments. For two spaces they span the canonical axes of
    `closed_forms.canonical_axes`, which keeps the SVD: it decomposes a (dl, dr) matrix instead of one of
    (dl + dr, dl + dr), and its figures are the published ones.
    """
    roots = {}
    for space, own in moments.within.items():
        values, vectors = torch.linalg.eigh(own)
        roots[space] = inverse_root(values, vectors, penalty)
    spaces = list(roots)
    starts = np.concatenate([[0], np.cumsum([len(roots[space]) for space in spaces])])
    place = {space: slice(starts[n], starts[n + 1]) for n, space in enumerate(spaces)}
    whole = torch.zeros(int(starts[-1]), int(starts[-1]), dtype=torch.float64)
    for (left, right), cross in moments.across.items():
        block = roots[left] @ cross @ roots[right]
        whole[place[left], place[right]], whole[place[right], place[left]] = block, block.T
    values, vectors = torch.linalg.eigh(whole)
    joint = min(len(root) for root in roots.values())
    agreement = values.flip(0)[:joint].clamp(min=0) / (len(spaces) - 1)
    leading = vectors.flip(1)[:, :joint] * agreement.clamp(max=1) ** power
    maps = {}
    for space in spaces:
        own, span = roots[space] @ leading[place[space]], moments.spans[space]
        maps[space] = in_range(own if span is None else span @ own)
    return maps


def _heads(maps: Mapping[str, Tensor], centred: Mapping[str, Centred]) -> dict[str, Head]:
    return {space: Head(linear_map(weights), centred[space].centres) for space, weights in maps.items()}


def _basis(heads: Sequence[Mapping[str, Head]], weights: tuple[float, ...], sets: Sets) -> Tensor | None:
    """One basis for all legs (see `narrowing`); None if there is one setting."""
    if len(heads) == 1:
        return None
    rows = [
        project_blend([own[space] for own in heads], weights, sample(embeddings, BASIS_ROWS), embeddings.modality)
        for space, own_set in sets.items()
        for embeddings in own_set.values()
    ]
    return leading_directions(torch.cat(rows), LOST)
