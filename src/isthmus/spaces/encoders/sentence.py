"""Sentence encoders: text, through sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.hashing import fingerprint_of
from isthmus.media import Item
from isthmus.spaces.checkpoint import loaded, revision_of
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights


@dataclass(frozen=True)
class PlainText:
    """Leaves texts as they are: the model tokenizes them itself."""

    longest: int
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Depends on where the model cuts texts."""
        return fingerprint_of("plain text 1", self.longest)

    def __call__(self, item: Item) -> EncoderInputs:
        """The text."""
        return {"text": np.array([item.text], dtype=object)}


@dataclass(frozen=True)
class Sentence:
    """A sentence-transformers model."""

    model: Any
    revision: str

    def preparation(self, modality: str) -> Preparation:
        """The texts themselves."""
        return PlainText(int(self.model.max_seq_length or 0))

    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per text."""
        rows = self.model.encode(list(inputs["text"]), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, np.float32)


def load(weights: Weights) -> Sentence:
    """Load a sentence-transformers model."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = loaded(weights, lambda name, **more: SentenceTransformer(name, device=weights.device, **more))
    first = next(iter(model))
    revision = revision_of(weights, getattr(first, "auto_model", first))
    return Sentence(model.to(getattr(torch, weights.precision)), revision)
