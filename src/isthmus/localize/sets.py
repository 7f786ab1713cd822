"""Locating in sets on disk: what `isthmus localize` does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from isthmus.codes.model.model import CodeModel
from isthmus.codes.sets import tokens_of_set
from isthmus.localize.locate import By, LocateQuery, locate


def locate_in_set(
    model: Path,
    queries: Path,
    item: str,
    part: tuple[float, float] | None,
    gallery: Path,
    modalities: tuple[str | None, str | None],
    ids: Sequence[str],
    *,
    by: By,
    least: float,
) -> Iterator[str]:
    """One JSON object for each item searched, in the set's order: where the query is in it, and how hot."""
    codes = CodeModel.load(model)
    asked = tokens_of_set(queries, modalities[0], "--query-modality")
    query = LocateQuery.of(codes, asked, item, part)
    tokens = tokens_of_set(gallery, modalities[1], "--gallery-modality", ids)
    for found in locate(codes, query, tokens, by=by, least=least):
        answer = {"item": found.item, "score": round(found.score, 4)}
        places = {"peak": found.peak, "region": found.region}
        answer |= {name: [round(float(side), 3) for side in place] for name, place in places.items()}
        yield json.dumps({**answer, "unit": tokens.unit}, ensure_ascii=False)
