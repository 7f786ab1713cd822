"""Provisional in-memory `Embeddings` by the lead so that others can start: helper E replaces this file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


class Embeddings:
    """Unit rows with ids, modality and space."""

    def __init__(self, vectors: np.ndarray, ids: list[str], modality: str, space: str) -> None:
        self.vectors, self.ids, self.modality, self.space = vectors, ids, modality, space

    @classmethod
    def from_array(
        cls, vectors: np.ndarray, *, modality: str, space: str, ids: Sequence[str] | None = None, normalize: bool = True
    ) -> Embeddings:
        """From an array."""
        vectors = np.asarray(vectors, np.float32)
        if normalize and len(vectors):
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return cls(vectors, [str(i) for i in (ids if ids is not None else range(len(vectors)))], modality, space)

    @property
    def dim(self) -> int:
        """Dimension."""
        return self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.vectors)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive blocks."""
        for start in range(0, len(self), rows):
            yield self.vectors[start : start + rows]

    def take(self, index: np.ndarray) -> Embeddings:
        """Rows by number."""
        return Embeddings(self.vectors[index], [self.ids[i] for i in index], self.modality, self.space)

    def select(self, ids: Sequence[str]) -> Embeddings:
        """Rows by id."""
        where = {name: row for row, name in enumerate(self.ids)}
        return self.take(np.array([where[i] for i in ids], dtype=np.int64))
