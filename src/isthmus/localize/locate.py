"""Locating: a query's tokens looked for in the tokens of other items, by the codes of both or by their vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.base.options import require
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings.tokens import Tokens
from isthmus.localize.heat import agreement, lifted, similarity, smoothed
from isthmus.localize.regions import LEAST_HEAT, peak, region, touching

By = Literal["codes", "tokens"]
COMMON_ITEMS = 1000
"""CodeItems over which it is measured how common each code is."""
BLOCK_ITEMS = 512


@dataclass(frozen=True)
class LocateQuery:
    """What is looked for: a distribution over codes, and a vector where the codes are."""

    codes: Float[np.ndarray, " codes"]
    vector: Float[np.ndarray, " code_dim"]

    @classmethod
    def of(cls, model: CodeModel, tokens: Tokens, item: str, part: tuple[float, float] | None = None) -> LocateQuery:
        """An item, or the tokens of it that lie in ``part``, some of them or whole: from left to right, start to end.

        ``tokens`` are those of the item and of others like it. Raises `IsthmusError` where the item is not among them
        or the part is empty or outside.
        """
        if item not in tokens.ids:
            raise IsthmusError(f"no {tokens.modality} item {item!r}: ids look like {tokens.ids[0]!r}")
        own = tokens.take(np.array([tokens.ids.index(item)]))
        axes = own.places.shape[1] // 2
        start, end = (-np.inf, np.inf) if part is None else part
        inside = (own.places[:, 0] < end) & (start < own.places[:, axes])
        if start >= end or not inside.any():
            whole = f"{own.places[:, 0].min():g} to {own.places[:, axes].max():g} {own.unit}"
            raise IsthmusError(f"option part: {start:g} to {end:g} holds nothing of {item!r}, which is {whole}")
        some = tokens.take(np.arange(0, len(tokens), -(-len(tokens) // COMMON_ITEMS)))
        common = np.exp(model.token_codes(some)).mean(0)
        meaning = np.exp(model.token_codes(own)[inside]).mean(0)
        return cls(lifted(meaning, common), model.token_vectors(own)[inside].mean(0))


@dataclass(frozen=True)
class Located:
    """Where a query is in an item: the hottest point and the region around it, in the item's unit, and how hot."""

    item: str
    score: float
    peak: Float[np.ndarray, " axes"]
    region: Float[np.ndarray, " sides"]
    heat: Float[np.ndarray, " tokens"]


@dataclass(frozen=True)
class Placed:
    """The heat of an item's tokens, smoothed, its hottest point, and the region around that."""

    heat: Float[np.ndarray, " tokens"]
    peak: Float[np.ndarray, " axes"]
    region: Float[np.ndarray, " sides"]


def placed(
    raw: Float[np.ndarray, " tokens"],
    places: Float[np.ndarray, "tokens sides"],
    touches: Bool[np.ndarray, "tokens tokens"],
    least: float = LEAST_HEAT,
) -> Placed:
    """What the raw heat of an item's tokens points at; ``touches`` and ``least`` are those of `region`."""
    heat = smoothed(raw, touches)
    return Placed(heat, peak(heat, places), region(heat, places, touches, least))


def locate(
    model: CodeModel, query: LocateQuery, tokens: Tokens, *, by: By = "codes", least: float = LEAST_HEAT
) -> Iterator[Located]:
    """Where the query is in each item, by agreement of codes or by likeness of tokens; ``least`` ends regions."""
    require(by in get_args(By), "by", f"one of {', '.join(get_args(By))}", by)
    for block in tokens.batches(BLOCK_ITEMS):
        every = model.token_codes(block) if by == "codes" else model.token_vectors(block)
        for row, item in enumerate(block.ids):
            own = slice(block.offsets[row], block.offsets[row + 1])
            raw = agreement(every[own], query.codes) if by == "codes" else similarity(every[own], query.vector)
            places = block.places[own]
            found = placed(raw, places, touching(places), least)
            yield Located(item, float(found.heat.max()), found.peak, found.region, found.heat)
