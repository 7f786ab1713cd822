"""A summary of a set on disk, in a few lines."""

from __future__ import annotations

from pathlib import Path

from isthmus.base.paths import user_path
from isthmus.embeddings.embeddings import Embeddings, open_set
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.health import health_of
from isthmus.embeddings.layout import tokens_folder
from isthmus.embeddings.manifest import MANIFEST, is_sealed, read_manifest, read_token_manifest
from isthmus.embeddings.token_files import open_tokens, token_modalities, verify_tokens
from isthmus.embeddings.tokens import Tokens


def inspect_set(path: str | Path, *, verify: bool = False, space: str | None = None) -> str:
    """Summarize a set: rows, dimension, space, ids and health of every modality, and its tokens.

    Args:
        path: Folder of the set; folders written by clip-retrieval work too.
        verify: Read every file and compare it with its hash.
        space: Name of the space of a folder without a manifest; the folder's name by default.

    Returns:
        A block of lines per modality.

    Raises:
        IsthmusError: There is no such set, or with ``verify`` a file is missing or altered.

    Example:
        >>> import tempfile, numpy as np
        >>> from isthmus import Embeddings
        >>> folder = Embeddings.from_array(np.eye(4), modality="image", space="clip").save(tempfile.mkdtemp())
        >>> print(inspect_set(folder, verify=True))
        image: 4 rows, 4 dimensions, space 'clip'
          no ids, rows are only numbered
          mean cosine of two rows 0.00 (1: all alike)
          effective rank 3.0 of 4, 3 directions vary
        all hashes match
    """
    if verify:
        verify_set(path)
    jobs = {name: entry.unfinished for name, entry in read_manifest(user_path(path)).items()}
    found = open_set(path, space, unfinished=True)
    blocks = [_vectors_block(own) + _unfinished(jobs.get(name, "")) for name, own in found.items()]
    modalities = token_modalities(path)
    for modality in modalities:
        if verify:
            verify_tokens(path, modality)
        job = read_token_manifest(tokens_folder(user_path(path), modality)).unfinished
        blocks.append(_tokens_block(open_tokens(path, modality, unfinished=True)) + _unfinished(job))
    return "\n".join([*blocks, _verdict(user_path(path), modalities)] if verify else blocks)


def _unfinished(job: str) -> str:
    return f"\n  unfinished: {job} is still writing or was stopped; run it again" if job else ""


def _verdict(folder: Path, token_modalities: list[str]) -> str:
    """That all hashes match, and which files have none, as version 0.1 wrote them."""
    manifests = [folder, *(tokens_folder(folder, modality) for modality in token_modalities)]
    without = [str((own / MANIFEST).relative_to(folder)) for own in manifests if not is_sealed(own)]
    for own in manifests[1:]:
        if any("ids" not in shard.sha256 for shard in read_token_manifest(own).shards):
            without.append(f"{own.name}/ids_*.json")
    if not without:
        return "all hashes match"
    return f"all hashes match, but {', '.join(without)} have none (saved by an earlier version): save the set again"


def _tokens_block(tokens: Tokens) -> str:
    counts = tokens.counts
    if len(counts) == 0:
        return f"{tokens.modality} tokens: none yet, space {tokens.space!r}"
    return (
        f"{tokens.modality} tokens: {counts.sum()} of {len(tokens)} items, {counts.min()} to {counts.max()} each, "
        f"{tokens.dim} dimensions, space {tokens.space!r}, places in {tokens.unit}"
    )


def _vectors_block(embeddings: Embeddings) -> str:
    if len(embeddings) == 0:
        return f"{embeddings.modality}: no rows yet, space {embeddings.space!r}"
    few = ", ".join(repr(name) for name in embeddings.ids[:3])
    ids = "no ids, rows are only numbered" if embeddings.numbered else f"ids like {few}"
    return (
        f"{embeddings.modality}: {len(embeddings)} rows, {embeddings.dim} dimensions, space {embeddings.space!r}\n"
        f"  {ids}\n" + "\n".join(f"  {line}" for line in health_of(embeddings).lines())
    )
