"""Codes over sets on disk: what the commands do."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.objective import CodeItems
from isthmus.codes.learning.pairs import PairSource, pairs_by_id
from isthmus.codes.learning.sources import LinkedItems, link_without_pairs
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.assignment import Assignment, assign_codes
from isthmus.codes.reading.rerank import rerank_by_codes
from isthmus.connectors.config import CcaConfig
from isthmus.connectors.connect import connect
from isthmus.connectors.connector import Connector
from isthmus.embeddings import open_set
from isthmus.embeddings.checks import check_ids
from isthmus.embeddings.token_files import open_tokens, token_modalities
from isthmus.embeddings.tokens import Tokens
from isthmus.search import Hits
from isthmus.search.sets import SetHits

LOG = logging.getLogger(__name__)


def train_on_sets(
    left: Path,
    right: Path | None,
    config: CodesConfig,
    *,
    overlap: str,
    connector: Path | None,
    seed: int,
    device: str | None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
) -> CodeModel:
    """Learn codes from one set whose modalities share ids, or from two sets that share one modality and no pairs."""
    if right is None:
        if connector is not None:
            raise IsthmusError(f"option connector: {connector} joins two sets, and one is given: give the other too")
        own = read_side(left)
        found = LinkedItems(own, pairs_within(own, left))
    else:
        joined = _quick_connector(left, right, overlap, seed) if connector is None else Connector.load(connector)
        found = link_without_pairs(read_side(left), read_side(right), overlap=overlap, connector=joined)
    return fit_codes(
        found.items, found.sources, config, seed=seed, device=device, checkpoint=checkpoint, progress=progress
    )


def _quick_connector(left: Path, right: Path, overlap: str, seed: int) -> Connector:
    """A closed form, in seconds: with pseudo pairs beside captions modalities share more of the codes."""
    LOG.info("connecting %s and %s in closed form for pseudo pairs; --connector takes one you have", left, right)
    return connect(open_set(left), open_set(right), overlap=overlap, method=CcaConfig(), seed=seed)


def read_side(folder: Path) -> dict[str, CodeItems]:
    """Every modality of a set that has tokens, with the pooled vectors of the same items."""
    pooled = open_set(folder)
    found = {}
    for modality in _modalities(folder):
        if modality not in pooled:
            raise IsthmusError(f"{folder}: has {modality} tokens but no {modality} vectors: embed its items too")
        tokens = open_tokens(folder, modality)
        found[modality] = CodeItems(tokens, pooled[modality].select(tokens.ids))
    return found


def pairs_within(items: Mapping[str, CodeItems], folder: Path) -> list[PairSource]:
    """True pairs of a set's modalities: items with the same id. Raises `IsthmusError` where there are none."""
    found = []
    for left, right in combinations(items, 2):
        if set(items[left].tokens.ids) & set(items[right].tokens.ids):
            found.append(pairs_by_id((left, items[left].tokens), (right, items[right].tokens)))
    if not found:
        raise IsthmusError(
            f"{folder}: no two of its modalities with tokens ({', '.join(items)}) share ids: give a second set that "
            "shares a modality, or the same id to items that belong together"
        )
    return found


def assign_set(model: Path, folder: Path, modality: str | None, out: Path) -> Assignment:
    """Write a set's tokens of one modality in a model's codes and save the assignment."""
    tokens = tokens_of_set(folder, modality, "--modality")
    found = assign_codes(CodeModel.load(model), tokens)
    found.save(out)
    return found


def _modalities(folder: Path) -> list[str]:
    found = token_modalities(folder)
    if not found:
        raise IsthmusError(f"{folder}: holds no tokens: codes need an encoder's fine-grained outputs (save_tokens)")
    return found


def rerank_set_hits(found: SetHits, model: Path, queries: Path, gallery: Path, k: int) -> SetHits:
    """A search's hits ordered by score and alignment of codes together, the best ``k``; both sets need tokens."""
    ids, place = np.unique(found.hits.ids, return_inverse=True)
    hits = replace(found.hits, rows=place.reshape(found.hits.ids.shape))
    asked, answers = (
        tokens_of_set(folder, modality, "--codes", names)
        for folder, modality, names in zip(
            (queries, gallery), found.modalities, (found.queries, ids.tolist()), strict=True
        )
    )
    ordered = rerank_by_codes(hits, CodeModel.load(model), asked, answers)
    return replace(found, hits=Hits(ordered.ids[:, :k], ordered.scores[:, :k], ordered.rows[:, :k]))


def tokens_of_set(folder: Path, modality: str | None, option: str, ids: Sequence[str] = ()) -> Tokens:
    """Tokens of a set's modality, which ``option`` names where there are several; of some items if ``ids`` are given.

    Raises `IsthmusError` for a set, a modality or an item without tokens.
    """
    modalities = _modalities(folder)
    if modality is None and len(modalities) > 1:
        raise IsthmusError(f"{folder}: holds tokens of {', '.join(modalities)}: give {option}")
    if modality is not None and modality not in modalities:
        raise IsthmusError(f"{folder}: holds no {modality} tokens, only of {', '.join(modalities)}")
    tokens = open_tokens(folder, modality or modalities[0])
    if not ids:
        return tokens
    row_of = {item: row for row, item in enumerate(tokens.ids)}
    check_ids(list(ids), len(ids), str(folder))
    missing = next((item for item in ids if item not in row_of), None)
    if missing is not None:
        raise IsthmusError(f"{folder}: {tokens.modality} item {missing!r} has no tokens: embed it again with tokens")
    return tokens.take(np.array([row_of[item] for item in ids]))


def shown(model: Path, assignment: Path | None, item: str | None) -> list[str]:
    """What a model says of itself, or how an item is written: one line for each unbroken run of a code."""
    if assignment is None:
        if item is not None:
            raise IsthmusError(f"option item: how {item!r} is written is in an assignment: give --assignment")
        own = CodeModel.load(model)
        return [f"{len(own.codebook)} codes for {', '.join(own.views)}", *own.facts.get("health", [])]
    written = Assignment.load(assignment)
    if item is None:
        return [f"{len(written)} {written.modality} items, {len(written.codes)} tokens, {written.size} codes"]
    return written.runs(item)
