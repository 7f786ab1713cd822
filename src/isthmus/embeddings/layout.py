"""Where a set's files lie: the clip-retrieval layout, with metadata of its own for each modality."""

from __future__ import annotations

from pathlib import Path

CLIP_RETRIEVAL_NAMES = {"img": "image"}
"""Modalities that clip-retrieval calls otherwise."""


def vectors_file(folder: Path, modality: str, number: int) -> Path:
    """``<modality>_emb/<modality>_emb_<n>.npy``."""
    return folder / f"{modality}_emb" / f"{modality}_emb_{number}.npy"


def metadata_file(folder: Path, modality: str, number: int) -> Path:
    """``<modality>_metadata/metadata_<n>.parquet``: modalities of one set need not have the same rows."""
    return folder / f"{modality}_metadata" / f"metadata_{number}.parquet"


def modality_named(folder_name: str) -> str:
    """The modality of a folder ``<name>_emb``; clip-retrieval's ``img_emb`` is image."""
    name = folder_name.removesuffix("_emb")
    return CLIP_RETRIEVAL_NAMES.get(name, name)
