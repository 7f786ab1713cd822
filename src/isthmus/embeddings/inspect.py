"""Inspect: what a set on disk holds, in a few lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isthmus.embeddings.embeddings import Embeddings
from isthmus.embeddings.folder import open_set, verify_set
from isthmus.embeddings.token_files import open_tokens, token_modalities, verify_tokens
from isthmus.embeddings.tokens import Tokens

SAMPLE_ROWS = 10_000


def inspect_set(path: str | Path, *, verify: bool = False) -> str:
    """One block a modality: rows, dimension, space, concentration (norm of the mean of unit rows), first ids; tokens.

    With ``verify`` every shard is read and compared with its hash; raises `IsthmusError` naming one that differs.
    """
    if verify:
        verify_set(path)
    blocks = [_described(embeddings) for embeddings in open_set(path).values()]
    for modality in token_modalities(path):
        if verify:
            verify_tokens(path, modality)
        blocks.append(_counted(open_tokens(path, modality)))
    return "\n".join([*blocks, "every hash agrees"] if verify else blocks)


def _counted(tokens: Tokens) -> str:
    counts = tokens.counts
    return (
        f"{tokens.modality} tokens: {counts.sum()} of {len(tokens)} items, {counts.min()} to {counts.max()} each, "
        f"{tokens.dim} dimensions, space {tokens.space!r}, places in {tokens.unit}"
    )


def _described(embeddings: Embeddings) -> str:
    if len(embeddings) == 0:
        return f"{embeddings.modality}: no rows yet, space {embeddings.space!r}"
    spaced = np.linspace(0, len(embeddings) - 1, min(len(embeddings), SAMPLE_ROWS)).astype(np.int64)
    rows = embeddings.take(spaced).vectors
    return (
        f"{embeddings.modality}: {len(embeddings)} rows, {embeddings.dim} dimensions, space {embeddings.space!r}\n"
        f"  norm of the mean {np.linalg.norm(rows.mean(0)):.2f} (0: spread out, 1: all alike)\n"
        f"  ids like {', '.join(repr(name) for name in embeddings.ids[:3])}"
    )
