"""Locating: a query's tokens looked for in the tokens of other items, by the codes of both or by their vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from isthmus.codes.model import CodeModel
from isthmus.embeddings.tokens import Tokens
from isthmus.errors import IsthmusError
from isthmus.localize.heat import agreement, lifted, similarity, smoothed
from isthmus.localize.regions import LEAST_HEAT, peak, region, touching

By = Literal["codes", "tokens"]
COMMON_ITEMS = 1000
"""Items over which it is measured how common each code is."""


@dataclass(frozen=True)
class Query:
    """What is looked for: a distribution over codes, and a vector where the codes are."""

    codes: Float[np.ndarray, " codes"]
    vector: Float[np.ndarray, " code_dim"]

    @classmethod
    def of(cls, model: CodeModel, tokens: Tokens, item: str, part: tuple[float, float] | None = None) -> Query:
        """An item, or the tokens of it whose middle lies in ``part``: from left to right, or from start to end.

        ``tokens`` are those of the item and of others like it. Raises `IsthmusError` where the item is not among them
        or has no token in the part.
        """
        if item not in tokens.ids:
            raise IsthmusError(f"no {tokens.modality} item {item!r}: ids look like {tokens.ids[0]!r}")
        own = tokens.take(np.array([tokens.ids.index(item)]))
        axes = own.places.shape[1] // 2
        middles = (own.places[:, 0] + own.places[:, axes]) / 2
        inside = np.full(len(middles), True) if part is None else (part[0] <= middles) & (middles < part[1])
        if not inside.any():
            raise IsthmusError(f"{item!r}: no token between {part} {own.unit}; its last is at {middles[-1]:g}")
        some = tokens.take(np.arange(0, len(tokens), max(1, len(tokens) // COMMON_ITEMS)))
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


def locate(
    model: CodeModel, query: Query, tokens: Tokens, *, by: By = "codes", least: float = LEAST_HEAT
) -> Iterator[Located]:
    """Where the query is in each item, by agreement of codes or by likeness of tokens; ``least`` ends regions."""
    every = model.token_codes(tokens) if by == "codes" else model.token_vectors(tokens)
    for row, item in enumerate(tokens.ids):
        own = slice(tokens.offsets[row], tokens.offsets[row + 1])
        places = tokens.places[own]
        touches = touching(places)
        raw = agreement(every[own], query.codes) if by == "codes" else similarity(every[own], query.vector)
        heat = smoothed(raw, touches)
        yield Located(item, float(heat.max()), peak(heat, places), region(heat, places, touches, least), heat)
