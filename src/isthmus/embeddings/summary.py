"""A summary of a set on disk, in a few lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isthmus.embeddings.embeddings import Embeddings, open_set
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.token_files import open_tokens, token_modalities, verify_tokens
from isthmus.embeddings.tokens import Tokens

SAMPLE_ROWS = 10_000


def inspect_set(path: str | Path, *, verify: bool = False, space: str | None = None) -> str:
    """Summarize a set: rows, dimension, space, concentration and ids of every modality, and its tokens.

    The concentration is the norm of the mean of all unit rows, or of 10 000 evenly spaced ones.

    Args:
        path: Folder of the set; folders written by clip-retrieval work too.
        verify: Read every file and compare it with its hash.
        space: Name of the space of a folder without a manifest; the folder's name by default.

    Returns:
        A block of lines per modality.

    Raises:
        IsthmusError: There is no such set, or with ``verify`` a file is missing or altered.

    Example:
        >>> import tempfile
        >>> from isthmus import Embeddings
        >>> folder = Embeddings.from_array(np.eye(4), modality="image", space="clip").save(tempfile.mkdtemp())
        >>> print(inspect_set(folder, verify=True))
        image: 4 rows, 4 dimensions, space 'clip'
          norm of the mean 0.50 (0: spread out, 1: all alike)
          no ids, rows are only numbered
        all hashes match
    """
    if verify:
        verify_set(path)
    blocks = [_vectors_block(embeddings) for embeddings in open_set(path, space).values()]
    for modality in token_modalities(path):
        if verify:
            verify_tokens(path, modality)
        blocks.append(_tokens_block(open_tokens(path, modality)))
    return "\n".join([*blocks, "all hashes match"] if verify else blocks)


def _tokens_block(tokens: Tokens) -> str:
    counts = tokens.counts
    return (
        f"{tokens.modality} tokens: {counts.sum()} of {len(tokens)} items, {counts.min()} to {counts.max()} each, "
        f"{tokens.dim} dimensions, space {tokens.space!r}, places in {tokens.unit}"
    )


def _vectors_block(embeddings: Embeddings) -> str:
    if len(embeddings) == 0:
        return f"{embeddings.modality}: no rows yet, space {embeddings.space!r}"
    spaced = np.linspace(0, len(embeddings) - 1, min(len(embeddings), SAMPLE_ROWS)).astype(np.int64)
    rows = embeddings.take(spaced).vectors
    few = ", ".join(repr(name) for name in embeddings.ids[:3])
    ids = "no ids, rows are only numbered" if embeddings.numbered else f"ids like {few}"
    return (
        f"{embeddings.modality}: {len(embeddings)} rows, {embeddings.dim} dimensions, space {embeddings.space!r}\n"
        f"  norm of the mean {np.linalg.norm(rows.mean(0)):.2f} (0: spread out, 1: all alike)\n"
        f"  {ids}"
    )
