"""Materials: what a method may learn from. Two spaces, their shared rows, and an unpaired memory on each side."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.embeddings import Embeddings


@dataclass(frozen=True)
class Side:
    """One space: its rows of the overlap, and a memory of its other modality (``None`` where there is none)."""

    overlap: Embeddings
    memory: Embeddings | None

    @property
    def space(self) -> str:
        """The space's name."""
        return self.overlap.space


@dataclass(frozen=True)
class Materials:
    """Two sides whose overlap rows correspond: row i of ``left.overlap`` and of ``right.overlap`` are one item."""

    left: Side
    right: Side
