"""Parts: what an item is divided into to find a query in it: tokens of an encoder, or windows embedded one by one.

The heat of a part is its row times the query's: a cosine, or the agreement of two code distributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.tokens import Tokens
from isthmus.localize.heat import flats, smoothed, spread, tents
from isthmus.localize.regions import touching
from isthmus.localize.windows import overlaps
from isthmus.metrics import box_mask, median_mask
from isthmus.metrics.boxes import SIZE

SAME = 0.5
"""Of two windows with a larger intersection over union, only the better one is a region."""
Regions = tuple[Float[np.ndarray, "regions sides"], Float[np.ndarray, " regions"]]
"""Places of regions, best first, and the highest heat in each."""


@runtime_checkable
class Parts(Protocol):
    """The parts of one item. `TokenParts` and `WindowParts` are the two kinds."""

    @property
    def rows(self) -> Float[np.ndarray, "parts dim"]:
        """One row per part; its product with a query's row is its heat."""

    @property
    def places(self) -> Float[np.ndarray, "parts sides"]:
        """Boxes in pixels, or spans in seconds or characters."""

    @property
    def extent(self) -> tuple[float, ...]:
        """Width and height in pixels, or the item's length."""

    @property
    def unit(self) -> str:
        """Unit of the places."""

    def regions(self, heat: Float[np.ndarray, " parts"], least: float) -> Regions:
        """The regions in which heat is high; ``least`` as in `region`."""

    def heat_map(self, heat: Float[np.ndarray, " parts"], size: tuple[int, int]) -> Float[np.ndarray, "height width"]:
        """The heat of every pixel of the item, scaled to ``size`` (rows, columns)."""

    def mask(self, heat: Float[np.ndarray, " parts"], size: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
        """The pixels that are predicted, at ``size``, to compare with the true ones."""


@dataclass(frozen=True)
class TokenParts:
    """The tokens of one item; each row is the weighted mean of a token's and of those that touch it (`smoothed`).

    Args:
        rows: One row per token, such that its product with a query's row is its heat.
        places: Boxes in pixels, or spans in seconds or characters.
        extent: Width and height in pixels, or the item's length.
        unit: Unit of the places.
    """

    rows: Float[np.ndarray, "parts dim"]
    places: Float[np.ndarray, "parts sides"]
    extent: tuple[float, ...]
    unit: str

    @classmethod
    def of(cls, tokens: Tokens, rows: Float[np.ndarray, "parts dim"], *, smooth: bool = True) -> list[TokenParts]:
        """The parts of each item, from its tokens and their rows in the space of the queries.

        An item ends where its last token does.
        """
        found = []
        for start, end in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True):
            places = np.asarray(tokens.places[start:end], np.float64)
            own = np.asarray(rows[start:end], np.float64)
            mixed = smoothed(own, touching(places)) if smooth else own
            extent = tuple(places[:, places.shape[1] // 2 :].max(0).tolist())
            found.append(cls(mixed, places, extent, tokens.unit))
        return found

    def regions(self, heat: Float[np.ndarray, " parts"], least: float) -> Regions:
        """The connected groups of tokens of at least heat ``least``: 0 is the item's median, 1 its highest."""
        middle = np.median(heat)
        left = heat >= middle + least * (heat.max() - middle)
        touches, axes, found = touching(self.places), self.places.shape[1] // 2, []
        while left.any():
            inside = np.arange(len(heat)) == np.where(left, heat, -np.inf).argmax()
            while (grown := left & touches[inside].any(0)).sum() > inside.sum():
                inside = grown
            sides = [self.places[inside, :axes].min(0), self.places[inside, axes:].max(0)]
            found.append((np.concatenate(sides), heat[inside].max()))
            left &= ~inside
        return np.stack([place for place, _ in found]), np.array([score for _, score in found])

    def heat_map(self, heat: Float[np.ndarray, " parts"], size: tuple[int, int]) -> Float[np.ndarray, "height width"]:
        """Heat interpolated linearly between the middles of the patches."""
        down, across = _pixels(self, size)
        return spread(heat, tents(self.places, 0, across), tents(self.places, 1, down))

    def mask(self, heat: Float[np.ndarray, " parts"], size: tuple[int, int] = SIZE) -> Bool[np.ndarray, "height width"]:
        """The half of the heat map above its median (`isthmus.metrics.median_mask`), as the papers threshold heat."""
        return median_mask(self.heat_map(heat, size))


@dataclass(frozen=True)
class WindowParts:
    """Windows of one image, each embedded by itself.

    Args:
        rows: One row per window.
        places: Left, top, right, bottom of each window in pixels.
        extent: The image's width and height.
        unit: Pixels.
    """

    rows: Float[np.ndarray, "parts dim"]
    places: Float[np.ndarray, "parts sides"]
    extent: tuple[float, ...]
    unit: str = "pixels"

    def regions(self, heat: Float[np.ndarray, " parts"], least: float) -> Regions:
        """Windows of at least heat ``least``, without those that overlap with a better one by more than half."""
        middle = np.median(heat)
        order = np.argsort(-heat, kind="stable")
        left = order[heat[order] >= middle + least * (heat.max() - middle)]
        kept = []
        while len(left):
            kept.append(left[0])
            left = left[1:][overlaps(self.places[left[0]], self.places[left[1:]]) <= SAME]
        return self.places[kept], heat[kept]

    def heat_map(self, heat: Float[np.ndarray, " parts"], size: tuple[int, int]) -> Float[np.ndarray, "height width"]:
        """The mean heat of the windows that contain a pixel."""
        down, across = _pixels(self, size)
        return spread(heat, flats(self.places, 0, across), flats(self.places, 1, down))

    def mask(self, heat: Float[np.ndarray, " parts"], size: tuple[int, int] = SIZE) -> Bool[np.ndarray, "height width"]:
        """The best window, as C-MCR localizes."""
        return box_mask(self.places[[heat.argmax()]] / np.array([*self.extent, *self.extent]), size)


def _pixels(parts: Parts, size: tuple[int, int]) -> Sequence[Float[np.ndarray, " points"]]:
    """The middles of the rows and columns of a map of ``size``, in pixels of the item."""
    if parts.unit != "pixels":
        raise IsthmusError(f"there is no heat map of an item with places in {parts.unit}: use the heat of its parts")
    width, height = parts.extent
    return (np.arange(size[0]) + 0.5) * height / size[0], (np.arange(size[1]) + 0.5) * width / size[1]
