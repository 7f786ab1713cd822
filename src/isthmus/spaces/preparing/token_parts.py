"""Tokens item by item, as encoders give them, and as one `Tokens`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.embeddings.tokens import Tokens

Part = tuple[np.ndarray, np.ndarray]
"""Vectors and places of one item."""


def joined(parts: Sequence[Part], ids: list[str], *, modality: str, space: str, unit: str) -> Tokens:
    """Items' tokens as one `Tokens`."""
    vectors = np.concatenate([part for part, _ in parts]).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum([len(part) for part, _ in parts])])
    places = np.concatenate([part for _, part in parts])
    return Tokens.from_arrays(vectors, offsets, places, modality=modality, space=space, unit=unit, ids=ids)
