"""The localize command."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from isthmus.base.options import require
from isthmus.cli.folder import Folder
from isthmus.cli.lines import write_lines

if TYPE_CHECKING:
    from isthmus.localize import Located


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
    from isthmus.codes.model.model import CodeModel
    from isthmus.embeddings.token_files import select_tokens
    from isthmus.localize import LocateQuery, locate

    require(0 <= least <= 1, "least", "between 0 and 1", least)
    model = CodeModel.load(codes)
    asked = select_tokens(queries, query_modality, option="--query-modality")
    wanted = LocateQuery.of(model, asked, query, part)
    tokens = select_tokens(gallery, gallery_modality, ids=ids, option="--gallery-modality")
    found = locate(model, wanted, tokens, by=by, least=least)
    write_lines((_as_json(location, tokens.unit) for location in found), "places", out)


def _as_json(location: "Located", unit: str) -> str:
    places = {"peak": location.peak, "region": location.region}
    rounded = {name: [round(float(side), 3) for side in place] for name, place in places.items()}
    answer = {"item": location.item, "score": round(location.score, 4), **rounded, "unit": unit}
    return json.dumps(answer, ensure_ascii=False)
