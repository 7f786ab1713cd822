"""The localize command."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from isthmus.base.options import require
from isthmus.cli.lines import write_json_lines

if TYPE_CHECKING:
    from isthmus.localize import Location


def localize(
    codes: Path,
    *,
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
    """Find where an item occurs in other items: a box in an image, seconds of audio, words of a text.

    Prints one JSON object per gallery item: its score, the region that matches and the peak in it.

    Args:
        codes: Folder of a code model.
        queries: Embedding set with tokens that contains the query.
        query: Id of the query item.
        gallery: Embedding set with tokens to look in.
        part: Use only this part of the query, given by its start and its end: seconds of audio, characters of a text,
            or pixels from the left of an image.
        query_modality: Modality of the query; needed if its set has tokens of several.
        gallery_modality: Modality to look in; needed if the gallery has tokens of several.
        ids: Look in these gallery items only.
        by: Compare code distributions, or the projected tokens themselves.
        least: Agreement with the query that a token needs to belong to the region, from 0 (the item's median) to 1 (its
            highest).
        out: Write the results to this .jsonl file instead of printing them.
    """
    from isthmus.codes.model.model import CodeModel
    from isthmus.embeddings import open_tokens
    from isthmus.localize import LocateQuery, locate

    require(0 <= least <= 1, "least", "between 0 and 1", least)
    model = CodeModel.load(codes)
    asked = open_tokens(queries, query_modality, option="--query-modality")
    wanted = LocateQuery.of(model, asked, query, part)
    tokens = open_tokens(gallery, gallery_modality, ids=ids, option="--gallery-modality")
    found = locate(model, wanted, tokens, by=by, least=least)
    write_json_lines((_found(location, tokens.unit) for location in found), "places", out)


def _found(location: "Location", unit: str) -> dict[str, object]:
    places = {"peak": location.peak, "region": location.region}
    rounded = {name: [round(float(side), 3) for side in place] for name, place in places.items()}
    return {"item": location.item, "score": round(location.score, 4), **rounded, "unit": unit}
