"""Precomputed vectors: one ``.npy`` file per item, made by an encoder that is not built in (such as ImageBind)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from isthmus.base.hashing import fingerprint_of
from isthmus.embeddings.checks import unit_rows
from isthmus.media import Item, read_vector
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights


@dataclass(frozen=True)
class VectorPreparation:
    """Reads the vector of an item."""

    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for all vectors."""
        return fingerprint_of("vector files 1")

    def __call__(self, item: Item) -> EncoderInputs:
        """The vector as one row."""
        assert item.source is not None
        return {"vector": read_vector(item.source)[None]}


@dataclass(frozen=True)
class Precomputed:
    """An encoder that has run already."""

    revision: str = ""

    def preparation(self, modality: str) -> Preparation:
        """One vector per item."""
        return VectorPreparation()

    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """The vectors as unit rows."""
        return unit_rows(inputs["vector"], f"{modality} vectors")


def load(weights: Weights) -> Precomputed:
    """The encoder; there is nothing to load."""
    return Precomputed()
