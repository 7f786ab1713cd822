"""A world: two spaces that share one modality, and the truth about which items are counterparts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings


@dataclass(frozen=True)
class Sizes:
    """How many texts, items of each memory, true pairs, and items of each gallery a world has."""

    texts: int = 12_000
    memory: int = 8_000
    pairs: int = 8_000
    gallery: int = 1_000

    def __post_init__(self) -> None:
        if min(self.texts, self.gallery) < 1 or min(self.memory, self.pairs) < 0:
            raise IsthmusError("texts and gallery must be at least 1, memory and pairs at least 0")


@dataclass(frozen=True)
class Gallery:
    """Items of the two unshared modalities to match with each other; two items are counterparts if concepts agree.

    ``left`` and ``right`` hold ``n`` and ``m`` rows; ``left_concepts`` and ``right_concepts`` are their concept
    numbers. They are for evaluation only and never reach a connector.
    """

    left: Embeddings
    right: Embeddings
    left_concepts: Int[np.ndarray, " n"]
    right_concepts: Int[np.ndarray, " m"]

    def __post_init__(self) -> None:
        for rows, concepts in ((self.left, self.left_concepts), (self.right, self.right_concepts)):
            if len(rows) != len(concepts):
                raise IsthmusError(f"{rows!r} have {len(concepts)} concept numbers: give one per row")

    def relevant(self) -> Bool[np.ndarray, "n m"]:
        """Which right items are counterparts of which left items."""
        return self.left_concepts[:, None] == self.right_concepts[None, :]


@dataclass(frozen=True)
class Regions:
    """What an item shows, and where: a label and a place (a box, or start and end) for each thing in it.

    Regions are for evaluation only and never reach training.
    """

    labels: Int[np.ndarray, " things"]
    places: Float[np.ndarray, "things sides"]


@dataclass(frozen=True)
class World:
    """What a user would have (``left`` and ``right``: unpaired memories and an overlap), and the truth.

    ``left`` and ``right`` map modality to embeddings, as `isthmus.connect` takes them. ``pairs`` are true
    pairs of the two unshared modalities, row by row, that only a paired oracle may see.
    """

    name: str
    overlap: str
    left: Mapping[str, Embeddings]
    right: Mapping[str, Embeddings]
    galleries: Mapping[str, Gallery]
    pairs: tuple[Embeddings, Embeddings] | None = None

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that depend on every vector and every concept number."""
        digest = hashlib.sha256()
        sets: list[Embeddings] = [*self.left.values(), *self.right.values(), *(self.pairs or ())]
        for gallery in self.galleries.values():
            sets += [gallery.left, gallery.right]
            digest.update(gallery.left_concepts.tobytes() + gallery.right_concepts.tobytes())
        for embeddings in sets:
            digest.update(embeddings.modality.encode() + np.ascontiguousarray(embeddings.vectors).tobytes())
        return digest.hexdigest()[:16]
