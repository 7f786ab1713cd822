"""Precomputed vectors: one ``.npy`` an item, made by an encoder that is not here (ImageBind, LanguageBind …)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from isthmus.base.hashing import fingerprint_of
from isthmus.embeddings.checks import unit_rows
from isthmus.embeddings.tokens import Tokens
from isthmus.media import Item, UnreadableError
from isthmus.media.readers.arrays import read_npy
from isthmus.media.unreadable import unreadable
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation, no_tokens

LONGEST = 2**20


@dataclass(frozen=True)
class VectorFiles:
    """The vector in an item's file."""

    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for all."""
        return fingerprint_of("vector files 1")

    def __call__(self, item: Item) -> EncoderInputs:
        """The vector as one row. Raises `UnreadableError` for what is none."""
        assert item.source is not None
        with unreadable(item.name), item.source.open() as file:
            size = file.seek(0, 2)
            file.seek(0)
            found = read_npy(item.name, file, size).reshape(-1)
        if found.dtype.kind != "f" or not 0 < len(found) <= LONGEST or not np.isfinite(found).all() or not found.any():
            raise UnreadableError(f"{item.name}: {found.dtype} of shape {found.shape} is no finite vector but zero")
        return {"vector": found[None].astype(np.float32)}


@dataclass(frozen=True)
class Precomputed:
    """A space whose encoder has run already; ``precomputed:imagebind`` is called imagebind."""

    name: str
    revision: str = ""
    modalities: tuple[str, ...] = ("text", "image", "audio", "video", "points")
    token_modalities: tuple[str, ...] = ()

    def preparation(self, modality: str) -> Preparation:
        """Files of one vector each."""
        return VectorFiles()

    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """The vectors, as unit rows."""
        return unit_rows(views["vector"], f"{modality} vectors")

    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Not known of vectors."""
        raise no_tokens(self.name)


def load(ask: Ask) -> Precomputed:
    """The space of that name; nothing is loaded."""
    return Precomputed(ask.checkpoint)
