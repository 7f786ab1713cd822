"""Search one embedding set by another through a saved connector: what `isthmus search` does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.connectors.graph.space_graph import load_any
from isthmus.embeddings import Embeddings, open_set
from isthmus.search.index import Hits, Index


@dataclass(frozen=True)
class SetHits:
    """Hits of a set's items, by their ids, and the modalities that were searched by and in."""

    queries: list[str]
    hits: Hits
    modalities: tuple[str, str]

    def jsonl(self) -> Iterator[str]:
        """One JSON object a query: its id, then ids and scores of what was found, best first."""
        for query, ids, scores in zip(self.queries, self.hits.ids, self.hits.scores, strict=True):
            found = [
                {"id": str(name), "score": round(float(score), 4)} for name, score in zip(ids, scores, strict=True)
            ]
            yield json.dumps({"query": query, "hits": found}, ensure_ascii=False)


def search_sets(
    connector: Path,
    queries: Path,
    gallery: Path,
    query_modality: str | None,
    gallery_modality: str | None,
    ids: Sequence[str],
    k: int,
    *,
    csls: bool,
) -> SetHits:
    """Project one modality of each set and search exactly. Raises `IsthmusError` where a modality must be named."""
    joint = load_any(connector)
    asked = _one_modality(queries, query_modality, joint.overlaps, "--query-modality")
    every = joint.project(asked)
    searched = _one_modality(gallery, gallery_modality, joint.overlaps, "--gallery-modality")
    index = Index(joint.project(searched), reference=every)
    wanted = every.select(ids) if ids else every
    return SetHits(list(wanted.ids), index.search(wanted, k, csls=csls), (asked.modality, searched.modality))


def _one_modality(path: Path, modality: str | None, overlaps: Sequence[str], option: str) -> Embeddings:
    found = open_set(path)
    if modality is not None:
        if modality not in found:
            raise IsthmusError(f"{path}: no {modality} vectors ({option}); it holds {', '.join(found)}")
        return found[modality]
    candidates = [name for name in found if name not in overlaps] or list(found)
    if len(candidates) > 1:
        raise IsthmusError(f"{path}: holds {', '.join(candidates)}; name one with {option}")
    return found[candidates[0]]
