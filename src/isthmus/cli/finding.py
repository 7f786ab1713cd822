"""Commands that find: search by a connector, localize by codes."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from isthmus.base.atomic import write_whole
from isthmus.base.options import require
from isthmus.cli.folder import Folder


def search(
    connector: Folder,
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
    """Search one embedding set by another, of either space, through a connector.

    Args:
        connector: Folder of a saved connector.
        queries: Embedding set of the queries.
        gallery: Embedding set to search in.
        query_modality: Which modality of the queries' set; needed where it holds several beside the overlap.
        gallery_modality: Which modality of the gallery's set.
        ids: Search only for these query ids.
        k: Hits for each query.
        csls: Correct for hubs (cross-domain similarity local scaling).
        codes: Folder of a code model: the best hits are put in a new order by how well their codes align.
        shortlist: How many hits of each query are ordered anew by codes.
        out: Write hits to this .jsonl file; without it they are printed.
    """
    from isthmus.search.sets import search_sets

    require(k >= 1, "k", "at least 1", k)
    require(shortlist >= 1, "shortlist", "at least 1", shortlist)
    found = k if codes is None else max(k, shortlist)
    hits = search_sets(connector, queries, gallery, query_modality, gallery_modality, ids, found, csls=csls)
    if codes is not None:
        from isthmus.codes.sets import rerank_set_hits

        hits = rerank_set_hits(hits, codes, queries, gallery, k)
    _write_lines(hits.jsonl(), "hits", out)


def localize(
    codes: Folder,
    queries: Path,
    query: str,
    gallery: Path,
    part: tuple[float, float] | None = None,
    query_modality: str | None = None,
    gallery_modality: str | None = None,
    ids: tuple[str, ...] = (),
    by: Literal["codes", "tokens"] = "codes",
    least: float = 0.25,
    out: Path | None = None,
) -> None:
    """Find where an item, or a part of one, is in other items: boxes in pictures, seconds in sound, words in texts.

    Args:
        codes: Folder of a code model.
        queries: Embedding set with tokens that holds the query.
        query: Id of the item that is looked for.
        gallery: Embedding set with tokens to look in.
        part: Only this part of the query: start and end in its unit, for pictures left and right.
        query_modality: Which modality of the queries' set; needed where it has tokens of several.
        gallery_modality: Which modality of the gallery's set.
        ids: Look only in these items.
        by: Agreement of codes, or likeness of tokens.
        least: How hot a place must be to belong to the region: 0 the item's median, 1 its hottest.
        out: Write places to this .jsonl file; without it they are printed.
    """
    from isthmus.localize.sets import locate_in_set

    require(0 <= least <= 1, "least", "between 0 and 1", least)
    modalities = query_modality, gallery_modality
    _write_lines(
        locate_in_set(codes, queries, query, part, gallery, modalities, ids, by=by, least=least), "places", out
    )


def _write_lines(lines: Iterable[str], what: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.writelines(line + "\n" for line in lines)
    else:
        write_whole(out, "".join(line + "\n" for line in lines))
        print(f"{what}: {out}")
