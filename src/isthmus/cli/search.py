"""The search command."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.base.errors import IsthmusError
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
    gallery: tuple[Path, ...],
    query_modality: str | None = None,
    gallery_modality: tuple[str, ...] = (),
    ids: tuple[str, ...] = (),
    k: int = 10,
    csls: bool = False,
    percentiles: bool = False,
    false_positive_rate: float | None = None,
    codes: Path | None = None,
    shortlist: int = 20,
    space: tuple[str, ...] = (),
    out: Path | None = None,
) -> None:
    """Search embedding sets with the items of another, through a connector or a graph of spaces.

    Prints one JSON object per query: its id and its hits, best first. Hits of several modalities or sets are ordered by
    percentile. First, on stderr, an estimate of how good they are, if a connector searches with 50 queries or more in
    one gallery of 50 items or more.

    Args:
        connector: Folder of a saved connector or graph of spaces.
        queries: Embedding set with the queries.
        gallery: Embedding sets to search in, one or several.
        query_modality: Modality of the queries; needed if their set has several besides the overlap.
        gallery_modality: Modalities to search in, or all; needed if a gallery has several besides the overlap.
        ids: Search for these query ids only.
        k: Number of hits per query.
        csls: Correct for hubs with cross-domain similarity local scaling.
        percentiles: Give each hit its percentile: the share of unrelated items that score lower.
        false_positive_rate: Show only hits above the score that this share of unrelated items reaches, such as 0.001;
            perhaps none.
        codes: Folder of a code model that reranks the best hits by how well their codes align with the query's.
        shortlist: Number of hits per query that --codes reranks.
        space: Names of the spaces of queries and galleries; needed for folders without a manifest, whose space is
            otherwise named after the folder.
        out: Write the hits to this .jsonl file instead of printing them.
    """
    from isthmus.connectors.connector import ESTIMATE_ROWS, Connector
    from isthmus.connectors.graph.space_graph import load_any
    from isthmus.connectors.trust.printed import given_estimate
    from isthmus.search import Index, MixedIndex

    require(k >= 1, "k", "at least 1", k)
    require(shortlist >= 1, "shortlist", "at least 1", shortlist)
    joint = load_any(connector)
    own, *others = open_sets((queries, *gallery), space)
    asked = one_modality(queries, own, query_modality, joint.overlaps, "--query-modality")
    parts = _parts(dict(zip(gallery, others, strict=True)), gallery_modality, joint.overlaps)
    rated = percentiles or false_positive_rate is not None or len(parts) > 1
    _refuse_other_scores(rated, csls, codes)
    projected = joint.project(asked)
    searched = {str(number): joint.project(items) for number, (_, items) in enumerate(parts)}
    wanted = projected.select(ids) if ids else projected
    items, only = parts[0][1], searched["0"]
    if isinstance(joint, Connector) and len(parts) == 1 and min(len(wanted), len(only)) >= ESTIMATE_ROWS:
        say(given_estimate(joint.gallery_estimate(asked, items, wanted, only)))
    if rated:
        hits = MixedIndex(searched, scores=joint.scores).search(wanted, k, false_positive_rate=false_positive_rate)
    else:
        index = Index(only, reference=projected)
        hits = index.search(wanted, k if codes is None else max(k, shortlist), csls=csls)
    if codes is not None:
        hits = _reranked(hits, codes, (queries, asked), parts[0]).top(k)
    write_json_lines(_found(hits, parts), "hits", out)


def _refuse_other_scores(rated: bool, csls: bool, codes: Path | None) -> None:
    """Percentiles, cut-offs and the order of several modalities are of cosines."""
    option = "--csls" if csls else "--codes"
    if rated and (csls or codes is not None):
        raise IsthmusError(
            f"{option} changes the scores, but percentiles and the order of several modalities are of cosines: leave "
            f"{option} out, or search one modality without --percentiles and --false-positive-rate"
        )


def _parts(
    galleries: "Mapping[Path, Mapping[str, Embeddings]]", asked: Sequence[str], overlaps: Sequence[str]
) -> "list[tuple[Path, Embeddings]]":
    """What is searched, with its set: the modalities asked for, or the only one of each set besides the overlap."""
    if not asked:
        option = "--gallery-modality, or several, or all"
        return [(path, one_modality(path, found, None, overlaps, option)) for path, found in galleries.items()]
    held = {name: None for found in galleries.values() for name in found}
    if missing := [name for name in asked if name not in held and name != "all"]:
        places = ", ".join(map(str, galleries))
        raise IsthmusError(f"{places}: no {missing[0]} vectors (--gallery-modality); there is {', '.join(held)}")
    return [
        (path, items)
        for path, found in galleries.items()
        for name, items in found.items()
        if name in asked or "all" in asked
    ]


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


def _found(hits: "Hits", parts: "Sequence[tuple[Path, Embeddings]]") -> Iterator[dict[str, object]]:
    several = len({path for path, _ in parts}) > 1
    for query, found in hits:
        lines = []
        for hit in found:
            path, items = parts[int(hit.gallery or 0)]
            where = {"set": str(path)} if several else {}
            where |= {"modality": items.modality} if len(parts) > 1 else {}
            rated = {} if hit.percentile is None else {"percentile": round(hit.percentile, 6)}
            lines.append({"id": hit.id, **where, "score": round(hit.score, 4), **rated})
        yield {"query": query, "hits": lines}
