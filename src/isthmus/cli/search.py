"""The search command."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.base.options import require
from isthmus.cli.lines import write_json_lines
from isthmus.cli.sets import one_modality, open_sets
from isthmus.cli.terminal import say

if TYPE_CHECKING:
    from isthmus.embeddings import Embeddings, Tokens
    from isthmus.search import Hits


def search(
    connector: Path,
    *,
    queries: Path,
    gallery: Path,
    query_modality: str | None = None,
    gallery_modality: str | None = None,
    ids: tuple[str, ...] = (),
    k: int = 10,
    csls: bool = False,
    codes: Path | None = None,
    shortlist: int = 20,
    space: tuple[str, ...] = (),
    out: Path | None = None,
) -> None:
    """Search one embedding set with the items of another, through a connector or a graph of spaces.

    Prints one JSON object per query: its id and its hits, best first. First, on stderr, an estimate of how good they
    are, if a connector searches with 50 queries or more in a gallery of 50 items or more.

    Args:
        connector: Folder of a saved connector or graph of spaces.
        queries: Embedding set with the queries.
        gallery: Embedding set to search in.
        query_modality: Modality of the queries; needed if their set has several besides the overlap.
        gallery_modality: Modality to search in; needed if the gallery has several besides the overlap.
        ids: Search for these query ids only.
        k: Number of hits per query.
        csls: Correct for hubs with cross-domain similarity local scaling.
        codes: Folder of a code model that reranks the best hits by how well their codes align with the query's.
        shortlist: Number of hits per query that --codes reranks.
        space: Names of the spaces of queries and gallery; needed for folders without a manifest, whose space is
            otherwise named after the folder.
        out: Write the hits to this .jsonl file instead of printing them.
    """
    from isthmus.connectors.connector import ESTIMATE_ROWS, Connector
    from isthmus.connectors.graph.space_graph import load_any
    from isthmus.connectors.trust.printed import given_estimate
    from isthmus.search import Index

    require(k >= 1, "k", "at least 1", k)
    require(shortlist >= 1, "shortlist", "at least 1", shortlist)
    joint = load_any(connector)
    own, others = open_sets((queries, gallery), space)
    asked = one_modality(queries, own, query_modality, joint.overlaps, "--query-modality")
    projected = joint.project(asked)
    items = one_modality(gallery, others, gallery_modality, joint.overlaps, "--gallery-modality")
    searched = joint.project(items)
    index = Index(searched, reference=projected)
    wanted = projected.select(ids) if ids else projected
    if isinstance(joint, Connector) and min(len(wanted), len(searched)) >= ESTIMATE_ROWS:
        say(given_estimate(joint.gallery_estimate(asked, items, wanted, searched)))
    hits = index.search(wanted, k if codes is None else max(k, shortlist), csls=csls)
    if codes is not None:
        hits = _reranked(hits, codes, (queries, asked), (gallery, items)).top(k)
    write_json_lines(_found(hits), "hits", out)


def _reranked(
    hits: "Hits", codes: Path, queries: "tuple[Path, Embeddings]", gallery: "tuple[Path, Embeddings]"
) -> "Hits":
    """The hits ordered by score and alignment of codes; both sets need tokens of the modality."""
    import numpy as np

    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.alignment import rerank_by_codes
    from isthmus.embeddings import open_tokens
    from isthmus.embeddings.pairing import require_same_items

    def tokens_of(place: Path, rows: "Embeddings", ids: Sequence[str]) -> "Tokens":
        found = open_tokens(place, rows.modality, ids=ids)
        require_same_items(found, rows.select(ids))
        return found

    items, place = np.unique(hits.ids, return_inverse=True)
    asked = tokens_of(*queries, hits.query_ids)
    answers = tokens_of(*gallery, items.tolist())
    among_answers = replace(hits, rows=place.reshape(hits.ids.shape))
    return rerank_by_codes(among_answers, CodeModel.load(codes), asked, answers)


def _found(hits: "Hits") -> Iterator[dict[str, object]]:
    for query, found in hits:
        yield {"query": query, "hits": [{"id": hit.id, "score": round(hit.score, 4)} for hit in found]}
