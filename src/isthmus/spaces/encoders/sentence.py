"""Sentence encoders: texts, through sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.hashing import fingerprint_of
from isthmus.embeddings.tokens import Tokens
from isthmus.media import Item
from isthmus.spaces.checkpoint import loaded, revision_of
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation, no_tokens


@dataclass(frozen=True)
class PlainText:
    """Texts as they are: the model prepares them itself."""

    longest: int
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Follows from where the model cuts."""
        return fingerprint_of("plain text 1", self.longest)

    def __call__(self, item: Item) -> EncoderInputs:
        """The text."""
        return {"text": np.array([item.text], dtype=object)}


@dataclass(frozen=True)
class Sentence:
    """A sentence-transformers model."""

    ask: Ask
    model: Any
    revision: str
    modalities: tuple[str, ...] = ("text",)
    token_modalities: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The space's name."""
        return self.ask.name

    def preparation(self, modality: str) -> Preparation:
        """None to speak of."""
        return PlainText(int(self.model.max_seq_length or 0))

    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows."""
        found = self.model.encode(list(views["text"]), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Not known of sentence encoders."""
        raise no_tokens(self.name)


def load(ask: Ask) -> Sentence:
    """A sentence space of a model."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = loaded(ask, lambda name, **more: SentenceTransformer(name, device=ask.device, **more))
    first = next(iter(model))
    return Sentence(ask, model.to(getattr(torch, ask.precision)), revision_of(ask, getattr(first, "auto_model", first)))
