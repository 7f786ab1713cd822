"""`JointEncoder`: encodes items of any modality into one joint space: encoders, and the connector between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens
from isthmus.spaces import Space


def space_with(spaces: Sequence[Space], modality: str) -> Space:
    """The first of several encoders that takes a modality. Raises `IsthmusError` if none does."""
    found = next((space for space in spaces if modality in space.modalities), None)
    if found is None:
        known = "; ".join(f"{space.name}: {', '.join(space.modalities)}" for space in spaces)
        raise IsthmusError(f"no encoder takes {modality} ({known}): give one that does")
    return found


@dataclass(frozen=True)
class JointEncoder:
    """Encoders, in the order in which they are asked for a modality, and what projects their vectors.

    Args:
        spaces: The encoders. If several have a modality, the first encodes it.
        connector: A connector or graph of their spaces. Without it there is one encoder, whose space is the joint one.
    """

    spaces: tuple[Space, ...]
    connector: Connector | SpaceGraph | None = None

    def __post_init__(self) -> None:
        if self.connector is None and len(self.spaces) > 1:
            names = ", ".join(space.name for space in self.spaces)
            raise IsthmusError(f"vectors of {names} cannot be compared without a connector: give one (--connector)")

    def space_of(self, modality: str) -> Space:
        """The encoder of a modality. Raises `IsthmusError` if there is none."""
        return space_with(self.spaces, modality)

    def encode(self, items: Iterable[Any], modality: str) -> Float32[np.ndarray, "items dim"]:
        """One unit row per item in the joint space; items as `Space.encode` takes them."""
        return self.project(self.space_of(modality).encode(items, modality=modality))

    def project_tokens(self, tokens: Tokens) -> Float32[np.ndarray, "tokens dim"]:
        """One unit row per token in the joint space."""
        return self.project(Embeddings.from_array(tokens.vectors, modality=tokens.modality, space=tokens.space))

    def project(self, embeddings: Embeddings) -> Float32[np.ndarray, "items dim"]:
        """Rows of one of the spaces, in the joint space."""
        if self.connector is not None:
            return np.asarray(self.connector.project(embeddings).vectors)
        if embeddings.space != self.spaces[0].name:
            raise IsthmusError(
                f"the {embeddings.modality} vectors are of space {embeddings.space!r}, the encoder is "
                f"{self.spaces[0].name!r}: give the connector between them"
            )
        return np.asarray(embeddings.vectors)
