"""Localization: where a query is in other items, by the codes of both or by their vectors."""

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
from isthmus.training.checkpoint import hash_of

By = Literal["codes", "tokens"]
COMMON_ITEMS = 1000
"""Items on which the overall frequency of each code is measured."""
BLOCK_ITEMS = 512


@dataclass(frozen=True)
class LocateQuery:
    """What `locate` looks for; `LocateQuery.of` makes one from an item or a part of an item.

    Args:
        codes: ``(codes,)`` distribution over the model's codes.
        vector: ``(code_dim,)`` mean of the query's tokens, projected into the space of the codes.
        codebook: Fingerprint of the codes' codebook; "" if it is not known.

    Example:
        >>> from isthmus.codes.model.config import CodesConfig
        >>> from isthmus.codes.model.view import View
        >>> model = CodeModel({"audio": View("audio", "clap", dim=2, pooled_dim=2)}, CodesConfig(codes=4, code_dim=3))
        >>> places = np.array([[0, 1], [1, 2]], np.float32)
        >>> kind = {"modality": "audio", "space": "clap", "unit": "seconds", "ids": ["dog.wav"]}
        >>> tokens = Tokens.from_arrays(np.ones((2, 2), np.float32), np.array([0, 2]), places, **kind)
        >>> query = LocateQuery.of(model, tokens, "dog.wav", part=(0.0, 1.0))
        >>> query.codes.shape, query.vector.shape
        ((4,), (3,))
    """

    codes: Float[np.ndarray, " codes"]
    vector: Float[np.ndarray, " code_dim"]
    codebook: str = ""

    @classmethod
    def of(cls, model: CodeModel, tokens: Tokens, item: str, part: tuple[float, float] | None = None) -> LocateQuery:
        """A query for an item, or for a part of it.

        Args:
            model: Code model with a view of the tokens.
            tokens: Tokens of the item and of other items like it, which show how common each code is.
            item: Id of the item.
            part: Start and end of the part in the tokens' unit; for images, its left and right edge. Every token that
                is at least partly inside counts.

        Raises:
            IsthmusError: No item has this id, or the part has no tokens.
        """
        if item not in tokens.ids:
            raise IsthmusError(f"no {tokens.modality} item {item!r}: ids look like {tokens.ids[0]!r}")
        own = tokens.take(np.array([tokens.ids.index(item)]))
        axes = own.places.shape[1] // 2
        start, end = (-np.inf, np.inf) if part is None else part
        inside = (own.places[:, 0] < end) & (start < own.places[:, axes])
        if start >= end or not inside.any():
            whole = f"{own.places[:, 0].min():g} to {own.places[:, axes].max():g} {own.unit}"
            raise IsthmusError(f"part {start:g} to {end:g} of {item!r} has no tokens: choose a part of {whole}")
        some = tokens.take(np.arange(0, len(tokens), -(-len(tokens) // COMMON_ITEMS)))
        common = np.exp(model.token_codes(some)).mean(0)
        meaning = np.exp(model.token_codes(own)[inside]).mean(0)
        return cls(lifted(meaning, common), model.token_vectors(own)[inside].mean(0), _fingerprint(model))


def _fingerprint(model: CodeModel) -> str:
    return hash_of([model.codebook.vectors])[:16]


@dataclass(frozen=True)
class Spot:
    """Where the heat of one item is highest.

    Args:
        heat: Smoothed heat of each token.
        peak: Centre of the token with the highest heat: (x, y), or one point of a span.
        region: The place around it: left, top, right, bottom, or start and end.
    """

    heat: Float[np.ndarray, " tokens"]
    peak: Float[np.ndarray, " axes"]
    region: Float[np.ndarray, " sides"]


@dataclass(frozen=True)
class Location:
    """Where a query is in an item, in the item's unit: pixels, seconds or characters.

    Args:
        item: Id of the item.
        score: The highest heat in the item; compare it between items.
        peak: Centre of the token with the highest heat: (x, y), or one point of a span.
        region: The place around it: left, top, right, bottom, or start and end.
        heat: Smoothed heat of each token.
    """

    item: str
    score: float
    peak: Float[np.ndarray, " axes"]
    region: Float[np.ndarray, " sides"]
    heat: Float[np.ndarray, " tokens"]


def spot(
    raw: Float[np.ndarray, " tokens"],
    places: Float[np.ndarray, "tokens sides"],
    touches: Bool[np.ndarray, "tokens tokens"],
    least: float = LEAST_HEAT,
) -> Spot:
    """Where the raw heat of an item's tokens is highest after smoothing; ``touches`` and ``least`` as in `region`."""
    heat = smoothed(raw, touches)
    return Spot(heat, peak(heat, places), region(heat, places, touches, least))


def locate(
    model: CodeModel, query: LocateQuery, tokens: Tokens, *, by: By = "codes", least: float = LEAST_HEAT
) -> Iterator[Location]:
    """Find where a query is in each item.

    Args:
        model: Code model with views of the query and of ``tokens``.
        query: What to look for.
        tokens: Tokens of the items to look in.
        by: ``"codes"`` compares code distributions, ``"tokens"`` the cosine of projected tokens.
        least: Lowest heat within a region: 0 is the item's median, 1 its maximum.

    Returns:
        One `Location` per item, in the order of the items, computed as it is consumed.

    Raises:
        IsthmusError: The tokens fit no view of the model, the query was made with another one, or ``by`` is unknown.

    Example:
        >>> from isthmus.codes.model.config import CodesConfig
        >>> from isthmus.codes.model.view import View
        >>> model = CodeModel({"audio": View("audio", "clap", dim=2, pooled_dim=2)}, CodesConfig(codes=4, code_dim=3))
        >>> places = np.array([[0, 1], [1, 2], [2, 3]], np.float32)
        >>> kind = {"modality": "audio", "space": "clap", "unit": "seconds", "ids": ["dog.wav", "cat.wav"]}
        >>> tokens = Tokens.from_arrays(np.ones((3, 2), np.float32), np.array([0, 1, 3]), places, **kind)
        >>> for found in locate(model, LocateQuery.of(model, tokens, "dog.wav"), tokens):
        ...     print(found.item, found.region)
        dog.wav [0. 1.]
        cat.wav [1. 3.]
    """
    require(by in get_args(By), "by", f"one of {', '.join(get_args(By))}", by)
    if len(query.codes) != len(model.codebook) or query.codebook not in ("", _fingerprint(model)):
        raise IsthmusError("the query was made with another code model: make it with LocateQuery.of and this model")
    for block in tokens.batches(BLOCK_ITEMS):
        every = model.token_codes(block) if by == "codes" else model.token_vectors(block)
        for row, item in enumerate(block.ids):
            own = slice(block.offsets[row], block.offsets[row + 1])
            raw = agreement(every[own], query.codes) if by == "codes" else similarity(every[own], query.vector)
            places = block.places[own]
            found = spot(raw, places, touching(places), least)
            yield Location(item, float(found.heat.max()), found.peak, found.region, found.heat)
