"""A world: two spaces that share one modality, and the truth about which items belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from isthmus.embeddings import Embeddings


@dataclass(frozen=True)
class Gallery:
    """Items of the two unshared modalities to be matched; two items belong together iff concepts agree.

    ``left`` and ``right`` hold ``n`` and ``m`` rows; ``left_concepts`` and ``right_concepts`` their
    concept numbers. Truth is for evaluation only and never reaches a connector.
    """

    left: Embeddings
    right: Embeddings
    left_concepts: Int[np.ndarray, " n"]
    right_concepts: Int[np.ndarray, " m"]

    def relevant(self) -> Bool[np.ndarray, "n m"]:
        """Which right item is a counterpart of which left item."""
        return self.left_concepts[:, None] == self.right_concepts[None, :]


@dataclass(frozen=True)
class Regions:
    """What an item shows, and where: a label and a place (box, or start and end) for each thing in it.

    Truth is for evaluation only and never reaches training.
    """

    labels: Int[np.ndarray, " things"]
    places: Float[np.ndarray, "things sides"]


@dataclass(frozen=True)
class World:
    """What a user would have (``left``, ``right``: unpaired memories and an overlap), and the truth beside it.

    ``left`` and ``right`` map modality to embeddings, as `isthmus.connect` takes them. ``pairs`` are true
    pairs of the two unshared modalities (row i with row i) that only a paired oracle may see.
    """

    name: str
    family: str
    overlap: str
    left: Mapping[str, Embeddings]
    right: Mapping[str, Embeddings]
    galleries: Mapping[str, Gallery]
    pairs: tuple[Embeddings, Embeddings] | None = None
    facts: Mapping[str, float | str] = field(default_factory=dict)
