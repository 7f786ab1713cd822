"""Where the files of a set are: the layout of clip-retrieval, with separate metadata and tokens for each modality."""

from __future__ import annotations

from pathlib import Path

CLIP_RETRIEVAL_NAMES = {"img": "image"}
"""Modalities that clip-retrieval names differently."""


def vectors_file(folder: Path, modality: str, number: int) -> Path:
    """``<modality>_emb/<modality>_emb_<n>.npy``."""
    return folder / f"{modality}_emb" / f"{modality}_emb_{number}.npy"


def metadata_file(folder: Path, modality: str, number: int) -> Path:
    """``<modality>_metadata/metadata_<n>.parquet``: modalities of one set need not have the same rows."""
    return folder / f"{modality}_metadata" / f"metadata_{number}.parquet"


def tokens_folder(folder: Path, modality: str) -> Path:
    """``<modality>_tokens``."""
    return folder / f"{modality}_tokens"


def modality_named(folder_name: str) -> str:
    """The modality of a folder ``<name>_emb``; clip-retrieval's ``img_emb`` is image."""
    name = folder_name.removesuffix("_emb")
    return CLIP_RETRIEVAL_NAMES.get(name, name)
