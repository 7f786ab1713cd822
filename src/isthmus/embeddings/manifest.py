"""The manifest: what a set on disk holds, and the hash of every shard."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError

MANIFEST = "manifest.json"
FORMAT = "isthmus-embeddings-1"


@dataclass(frozen=True)
class Shard:
    """One file of rows: its number, rows, and the sha256 of its vectors and its metadata."""

    number: int
    rows: int
    sha256: str
    metadata_sha256: str


@dataclass(frozen=True)
class ModalityManifest:
    """One modality of a set."""

    modality: str
    space: str
    dim: int
    dtype: str
    normalised: bool
    shards: tuple[Shard, ...]
    revision: str = ""
    preprocessing: str = ""

    @property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(shard.rows for shard in self.shards)


def agreed(folder: Path, asked: ModalityManifest) -> ModalityManifest:
    """The manifest's entry of a modality, or what was asked where there is none.

    Raises `IsthmusError` where the rows that are there have another space, revision, dimension, dtype or preparation.
    """
    there = read_manifest(folder).get(asked.modality, asked)
    differing = [
        f"{name} {value!r}, not {wanted!r}"
        for name, value in asdict(replace(there, shards=())).items()
        if value != (wanted := getattr(asked, name))
    ]
    if differing:
        raise IsthmusError(
            f"{folder}: its {asked.modality} rows have {'; '.join(differing)}: "
            "write to another folder, or ask for the same"
        )
    return there


def commit(folder: Path, entry: ModalityManifest) -> None:
    """Put a modality's entry into the manifest, in one step."""
    write_manifest(folder, {**read_manifest(folder), entry.modality: entry})


def read_manifest(folder: Path) -> dict[str, ModalityManifest]:
    """Every modality the manifest names; empty where there is no manifest."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT:
            raise IsthmusError(f"{path}: format {content['format']!r} is not {FORMAT!r}: update isthmus")
        return {name: _modality(entry) for name, entry in content["modalities"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IsthmusError(f"{path}: not a manifest ({error}): restore it or write the set again") from error


def write_manifest(folder: Path, modalities: dict[str, ModalityManifest]) -> None:
    """Replace the manifest in one step."""
    content = {
        "format": FORMAT,
        "isthmus": version("isthmus"),
        "modalities": {name: asdict(entry) for name, entry in modalities.items()},
    }
    write_text_atomically(folder / MANIFEST, json.dumps(content, indent=1) + "\n")


def _modality(entry: dict) -> ModalityManifest:
    if entry["dtype"] not in ("float16", "float32"):
        raise ValueError(f"dtype {entry['dtype']!r}")
    return ModalityManifest(**{**entry, "shards": tuple(Shard(**shard) for shard in entry["shards"])})
