"""The search command."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.base.options import require
from isthmus.cli.lines import write_lines

if TYPE_CHECKING:
    from isthmus.search.sets import SetHits


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
    out: Path | None = None,
) -> None:
    """Search one embedding set with the items of another, through a connector or a graph of spaces.

    Prints one JSON object per query: its id and its hits, best first.

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
        out: Write the hits to this .jsonl file instead of printing them.
    """
    from isthmus.search.sets import search_sets

    require(k >= 1, "k", "at least 1", k)
    require(shortlist >= 1, "shortlist", "at least 1", shortlist)
    found = k if codes is None else max(k, shortlist)
    hits = search_sets(connector, queries, gallery, query_modality, gallery_modality, ids, found, csls=csls)
    if codes is not None:
        hits = _reranked(hits, codes, queries, gallery, k)
    write_lines(hits.jsonl(), "hits", out)


def _reranked(found: "SetHits", codes: Path, queries: Path, gallery: Path, k: int) -> "SetHits":
    """The hits ordered by score and alignment of codes, the best ``k`` of each query; both sets need tokens."""
    import numpy as np

    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.alignment import rerank_by_codes
    from isthmus.embeddings.token_files import select_tokens
    from isthmus.search import Hits

    items, place = np.unique(found.hits.ids, return_inverse=True)
    hits = replace(found.hits, rows=place.reshape(found.hits.ids.shape))
    asked = select_tokens(queries, found.modalities[0], ids=found.queries)
    answers = select_tokens(gallery, found.modalities[1], ids=items.tolist())
    ordered = rerank_by_codes(hits, CodeModel.load(codes), asked, answers)
    return replace(found, hits=Hits(ordered.ids[:, :k], ordered.scores[:, :k], ordered.rows[:, :k]))
