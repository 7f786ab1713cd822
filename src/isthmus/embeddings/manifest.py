"""Manifests: what a set, or the tokens of one modality, has on disk, with the hash of every file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import read_json
from isthmus.embeddings.tokens import PLACES

MANIFEST = "manifest.json"
VECTORS_FORMAT, TOKENS_FORMAT = "isthmus-embeddings-1", "isthmus-tokens-1"
DTYPES = ("float16", "float32")


@dataclass(frozen=True)
class Shard:
    """One shard of vectors: its number, rows, and the sha256 of its vectors and its metadata."""

    number: int
    rows: int
    sha256: str
    metadata_sha256: str


@dataclass(frozen=True)
class ModalityManifest:
    """The vectors of one modality; ``normalized`` is spelled "normalised" on disk.

    ``numbered`` is True if no ids were given and those on disk are row numbers. None, as in every set of version 0.1,
    leaves it to the ids: only "0" to "n-1" are row numbers (`recorded_numbering`).
    """

    modality: str
    space: str
    dim: int
    dtype: str
    normalized: bool
    shards: tuple[Shard, ...]
    revision: str = ""
    preprocessing: str = ""
    numbered: bool | None = None

    @property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(shard.rows for shard in self.shards)


@dataclass(frozen=True)
class TokenShard:
    """One shard of tokens: its number, items, tokens, and the sha256 of each array by name."""

    number: int
    items: int
    tokens: int
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class TokenManifest:
    """The tokens of one modality; ``numbered`` as in `ModalityManifest`."""

    modality: str
    space: str
    dim: int
    unit: str
    dtype: str
    shards: tuple[TokenShard, ...] = ()
    numbered: bool | None = None

    @property
    def items(self) -> int:
        """Items of all shards."""
        return sum(shard.items for shard in self.shards)


def recorded_numbering(numbered: bool, first: str) -> bool | None:
    """What a manifest says about ids, of which ``first`` is the first: nothing if they show that they were given."""
    return numbered if numbered or first == "0" else None


Manifest = TypeVar("Manifest", ModalityManifest, TokenManifest)


def agreed(folder: Path, present: Manifest | None, asked: Manifest) -> Manifest:
    """The manifest that is there, or the one asked for if there is none.

    Raises `IsthmusError` if they differ in anything but their shards.
    """
    if present is None:
        return asked
    differing = [
        f"{name} {value!r}, not {wanted!r}"
        for name, value in asdict(replace(present, shards=())).items()
        if name not in ("shards", "numbered") and value != (wanted := getattr(asked, name))
    ]
    if {present.numbered, asked.numbered} == {True, False}:
        differing.append("row numbers, not ids" if present.numbered else "ids, not row numbers")
    if differing:
        what = "tokens" if isinstance(asked, TokenManifest) else "rows"
        raise IsthmusError(
            f"{folder}: its {asked.modality} {what} have {'; '.join(differing)}: "
            f"write to another folder, or use the same settings{_reading_changed(present, asked)}"
        )
    return present


def _reading_changed(present: Any, asked: Any) -> str:
    """Why settings that a user did not change may differ: the fingerprint that comes first in ``preprocessing``."""
    before, now = (getattr(manifest, "preprocessing", "").partition(" ")[0] for manifest in (present, asked))
    return "" if before == now else " (an earlier isthmus read some media in another way)"


def read_manifest(folder: Path) -> dict[str, ModalityManifest]:
    """Every modality in the manifest of a set; empty if there is no manifest."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    remedy = "restore it or write the set again"
    content = read_json(path, remedy)
    with reading(path, remedy):
        if content["format"] != VECTORS_FORMAT:
            raise IsthmusError(f"{path}: format {content['format']!r} is not {VECTORS_FORMAT!r}: update isthmus")
        return {name: _modality(entry) for name, entry in content["modalities"].items()}


def commit(folder: Path, entry: ModalityManifest) -> None:
    """Put a modality's entry into the manifest of a set, in one step."""
    entries = {**read_manifest(folder), entry.modality: entry}
    modalities = {
        name: {"normalised" if field == "normalized" else field: value for field, value in _recorded(own).items()}
        for name, own in entries.items()
    }
    _write(folder, VECTORS_FORMAT, {"modalities": modalities})


def read_token_manifest(folder: Path) -> TokenManifest:
    """The manifest of a folder of tokens. Raises `IsthmusError` if there is none or it cannot be read."""
    path = folder / MANIFEST
    remedy = "write the tokens again"
    content = read_json(path, remedy)
    with reading(path, remedy):
        if content["format"] != TOKENS_FORMAT or content["unit"] not in PLACES or content["dtype"] not in DTYPES:
            raise ValueError(f"format {content['format']!r}, unit {content['unit']!r}, dtype {content['dtype']!r}")
        shards = tuple(TokenShard(**{"number": number, **shard}) for number, shard in enumerate(content["shards"]))
        return TokenManifest(
            **{name: content[name] for name in ("modality", "space", "dim", "unit", "dtype")},
            shards=shards,
            numbered=_numbered(content),
        )


def write_token_manifest(folder: Path, manifest: TokenManifest) -> None:
    """Replace the manifest of a folder of tokens in one step."""
    _write(folder, TOKENS_FORMAT, _recorded(manifest))


def _write(folder: Path, form: str, content: dict[str, Any]) -> None:
    content = {"format": form, "isthmus": version("isthmus"), **content}
    write_text_atomically(folder / MANIFEST, json.dumps(content, indent=1) + "\n")


def _recorded(own: ModalityManifest | TokenManifest) -> dict[str, Any]:
    """The fields of a manifest that have a value."""
    return {name: value for name, value in asdict(own).items() if value is not None}


def _numbered(content: Mapping[str, Any]) -> bool | None:
    found = content.get("numbered")
    if not isinstance(found, bool | None):
        raise ValueError(f"numbered {found!r}")
    return found


def _modality(entry: dict[str, Any]) -> ModalityManifest:
    _ = _numbered(entry)
    if entry["dtype"] not in DTYPES:
        raise ValueError(f"dtype {entry['dtype']!r}")
    fields = {"normalized" if name == "normalised" else name: value for name, value in entry.items()}
    return ModalityManifest(**{**fields, "shards": tuple(Shard(**shard) for shard in entry["shards"])})
