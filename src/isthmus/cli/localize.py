"""The localize command."""

from pathlib import Path
from typing import Literal

from isthmus.base.options import require
from isthmus.cli.folder import Folder
from isthmus.cli.lines import write_lines


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
    write_lines(locate_in_set(codes, queries, query, part, gallery, modalities, ids, by=by, least=least), "places", out)
