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
from isthmus.spaces.protocol import CUT, EncoderInputs, Preparation, Weights


@dataclass(frozen=True)
class PlainText:
    """Leaves texts as they are, since the model tokenizes them itself; ``_cut`` says whether it will cut one."""

    longest: int
    tokenizer: Any = field(default=None, repr=False, compare=False)
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Depends on where the model cuts texts."""
        return fingerprint_of("plain text 1", self.longest)

    def __call__(self, item: Item) -> EncoderInputs:
        """The text."""
        return {"text": np.array([item.text], dtype=object), CUT: np.array([self._tokens(item.text) > self.longest])}

    def _tokens(self, text: str) -> int:
        """How many tokens the text has; 0 if the model has no limit, or no tokenizer of transformers."""
        if not self.longest or not hasattr(self.tokenizer, "pad_token_id"):
            return 0
        return len(self.tokenizer(text, truncation=False, verbose=False)["input_ids"])


@dataclass(frozen=True)
class Sentence:
    """A sentence-transformers model."""

    model: Any
    revision: str

    def preparation(self, modality: str) -> Preparation:
        """The texts themselves."""
        return PlainText(int(self.model.max_seq_length or 0), self.model.tokenizer)

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
