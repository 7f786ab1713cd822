"""Where the files of a set are: the layout of clip-retrieval, with separate metadata and tokens for each modality.

A modality becomes part of a path only here, so this is where its name is checked.
"""

from __future__ import annotations

from pathlib import Path

from isthmus.embeddings.checks import check_modality

CLIP_RETRIEVAL_NAMES = {"img": "image"}
"""Modalities that clip-retrieval names differently."""
TOKEN_ARRAYS = ("vectors", "offsets", "places")


def vectors_file(folder: Path, modality: str, number: int) -> Path:
    """``<modality>_emb/<modality>_emb_<n>.npy``."""
    check_modality(modality)
    return folder / f"{modality}_emb" / f"{modality}_emb_{number}.npy"


def metadata_file(folder: Path, modality: str, number: int) -> Path:
    """``<modality>_metadata/metadata_<n>.parquet``: modalities of one set need not have the same rows."""
    check_modality(modality)
    return folder / f"{modality}_metadata" / f"metadata_{number}.parquet"


def tokens_folder(folder: Path, modality: str) -> Path:
    """``<modality>_tokens``."""
    check_modality(modality)
    return folder / f"{modality}_tokens"


def token_files(own: Path, number: int) -> dict[str, Path]:
    """The files of a shard of tokens by name, in the folder of a modality's tokens: three arrays, and ``ids``."""
    arrays = {name: own / f"{name}_{number}.npy" for name in TOKEN_ARRAYS}
    return {**arrays, "ids": own / f"ids_{number}.json"}


def lock_file(folder: Path, what: str) -> Path:
    """``.isthmus-<what>.lock``: held by the process that writes the rows or tokens of a modality, or the manifest."""
    return folder / f".isthmus-{what}.lock"


def is_shard_like(file: Path, other: Path) -> bool:
    """Whether a file's name differs from another shard's only in the number."""
    stem, _, number = file.stem.rpartition("_")
    alike = (stem, file.suffix) == (other.stem.rpartition("_")[0], other.suffix)
    return alike and number.isascii() and number.isdecimal()


def modality_named(folder_name: str) -> str:
    """The modality of a folder ``<name>_emb``; clip-retrieval's ``img_emb`` is image."""
    name = folder_name.removesuffix("_emb")
    return CLIP_RETRIEVAL_NAMES.get(name, name)
