"""Manifests: what a set, or the tokens of one modality, has on disk, with the hash of every file and its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError, reading
from isthmus.base.hashing import sha256_of_json
from isthmus.base.json_files import read_json
from isthmus.base.locks import PATIENCE, FileLock
from isthmus.embeddings.checks import check_modality
from isthmus.embeddings.layout import TOKEN_ARRAYS, lock_file
from isthmus.embeddings.tokens import PLACES

MANIFEST = "manifest.json"
VECTORS_FORMAT, TOKENS_FORMAT = "isthmus-embeddings-1", "isthmus-tokens-1"
DTYPES = ("float16", "float32")
SEAL = "sha256"
"""The field of a manifest that has the hash of all its other fields; version 0.1 did not write it."""
TEXTS = ("space", "revision", "preprocessing", "unfinished")
SHA256 = re.compile(r"[0-9a-f]{64}")
EMBED_JOB = "isthmus embed"
"""The job that numbers shards of tokens like those of rows."""


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
    leaves it to the ids: only "0" to "n-1" are row numbers (`recorded_numbering`). ``unfinished`` names the job that
    has not written all rows, to be run again. ``loose`` are numbers of shards that this job is writing or has
    replaced: their files are ours, but not part of the set, and may be deleted.
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
    unfinished: str = ""
    loose: tuple[int, ...] = ()

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
    """The tokens of one modality; ``numbered``, ``unfinished`` and ``loose`` as in `ModalityManifest`."""

    modality: str
    space: str
    dim: int
    unit: str
    dtype: str
    shards: tuple[TokenShard, ...] = ()
    numbered: bool | None = None
    unfinished: str = ""
    loose: tuple[int, ...] = ()

    @property
    def items(self) -> int:
        """Items of all shards."""
        return sum(shard.items for shard in self.shards)


Manifest = TypeVar("Manifest", ModalityManifest, TokenManifest)


def recorded_numbering(numbered: bool, first: str) -> bool | None:
    """``numbered`` as a manifest records it: None, as version 0.1, if the ``first`` id is not a row number anyway."""
    return None if not numbered and first != "0" else numbered


def agreed(folder: Path, present: Manifest | None, asked: Manifest, first: str = "0") -> Manifest:
    """The manifest that is there, or the one asked for if there is none.

    ``first`` is the first id that is there, if known: without ``numbered`` in the manifest it shows whether ids were
    given. A ``dim`` of 0 asks for any. Raises `IsthmusError` if the two differ in anything that all rows share.
    """
    if present is None:
        return asked
    own = ("shards", "numbered", "unfinished", "loose", *(() if asked.dim else ("dim",)))
    differing = [
        f"{name} {value!r}, not {wanted!r}"
        for name, value in vars(present).items()
        if name not in own and value != (wanted := getattr(asked, name))
    ]
    numbered = False if present.numbered is None and first != "0" else present.numbered
    if {numbered, asked.numbered} == {True, False}:
        differing.append("row numbers, not ids" if numbered else "ids, not row numbers")
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


def require_finished(folder: Path, modality: str, job: str, what: str = "rows") -> None:
    """Raise `IsthmusError` if there is an unfinished ``job``, which has not written all rows or tokens."""
    if job:
        raise IsthmusError(
            f"{folder}: its {modality} {what} are unfinished: {job} is still writing them or was stopped: run it again "
            f"(in Python, unfinished=True opens the {what} there are)"
        )


def read_manifest(folder: Path) -> dict[str, ModalityManifest]:
    """Every modality in the manifest of a set; empty if there is no manifest."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    remedy = "restore it or write the set again"
    content = _read(path, VECTORS_FORMAT, remedy)
    with reading(path, remedy):
        unknown = set(content) - {"format", "isthmus", "modalities", SEAL}
        _require(not unknown, f"unknown fields {', '.join(sorted(unknown))}")
        return {name: _modality(name, entry) for name, entry in content["modalities"].items()}


def commit(
    folder: Path,
    entry: ModalityManifest,
    check: Callable[[Mapping[str, ModalityManifest]], None] = lambda present: None,
) -> None:
    """Put a modality's entry into the manifest of a set, in one step.

    Other processes can do the same for other modalities at the same time. ``check`` gets the manifest before that.
    """
    busy = f"{folder}: another process has been writing {MANIFEST} for {PATIENCE:g} seconds: stop it, and try again"
    with FileLock(lock_file(folder, "manifest"), busy=busy, patience=PATIENCE):
        present = read_manifest(folder)
        check(present)
        modalities = {
            name: {"normalised" if field == "normalized" else field: value for field, value in _recorded(own).items()}
            for name, own in {**present, entry.modality: entry}.items()
        }
        _write(folder, VECTORS_FORMAT, {"modalities": modalities})


def read_token_manifest(folder: Path) -> TokenManifest:
    """The manifest of a folder of tokens. Raises `IsthmusError` if there is none or it cannot be read."""
    path = folder / MANIFEST
    remedy = "write the tokens again"
    content = _read(path, TOKENS_FORMAT, remedy)
    with reading(path, remedy):
        shards = tuple(TokenShard(**{"number": number, **shard}) for number, shard in enumerate(content["shards"]))
        fields = {name: value for name, value in content.items() if name not in ("format", "isthmus", SEAL)}
        manifest = TokenManifest(**{**fields, "shards": shards, "loose": tuple(content.get("loose", ()))})
        _require(manifest.unit in PLACES, f"unit {manifest.unit!r}")
        _check(manifest, folder.name.removesuffix("_tokens"))
        for shard in shards:
            _check_token_shard(shard, sealed=SEAL in content)
        return manifest


def write_token_manifest(folder: Path, manifest: TokenManifest) -> None:
    """Replace the manifest of a folder of tokens in one step."""
    _write(folder, TOKENS_FORMAT, _recorded(manifest))


def is_sealed(folder: Path) -> bool:
    """Whether the manifest in a folder has its own hash, which reading it has checked; False for version 0.1."""
    return SEAL in read_json(folder / MANIFEST, "restore it or write the set again")


def _write(folder: Path, form: str, content: dict[str, Any]) -> None:
    content = {"format": form, "isthmus": version("isthmus"), **content}
    sealed = {**content, SEAL: sha256_of_json(content)}
    write_text_atomically(folder / MANIFEST, json.dumps(sealed, indent=1) + "\n")


def _recorded(own: ModalityManifest | TokenManifest) -> dict[str, Any]:
    """The fields of a manifest that have a value; ``unfinished`` and ``loose`` only while a job is writing."""
    left_out = {"unfinished": "", "loose": (), "numbered": None}
    return {name: value for name, value in asdict(own).items() if name not in left_out or value != left_out[name]}


def _read(path: Path, form: str, remedy: str) -> dict[str, Any]:
    content = read_json(path, remedy)
    with reading(path, remedy):
        _require(isinstance(content, dict) and "format" in content, "not a manifest")
    if content["format"] != form:
        raise IsthmusError(f"{path}: format {content['format']!r} is not {form!r}: update isthmus, or {remedy}")
    if SEAL in content and sha256_of_json({k: v for k, v in content.items() if k != SEAL}) != content[SEAL]:
        raise IsthmusError(
            f"{path}: altered (its hash differs from the one in it): {remedy}; if you edited it on purpose, delete its "
            f"line {SEAL!r}"
        )
    return content


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def _modality(name: str, entry: dict[str, Any]) -> ModalityManifest:
    fields = {"normalized" if field == "normalised" else field: value for field, value in entry.items()}
    shards = tuple(Shard(**shard) for shard in entry["shards"])
    manifest = ModalityManifest(**{**fields, "shards": shards, "loose": tuple(entry.get("loose", ()))})
    _check(manifest, name)
    _require(isinstance(manifest.normalized, bool), f"normalised {manifest.normalized!r}")
    for shard in shards:
        _require(_is_count(shard.rows), f"rows {shard.rows!r} of shard {shard.number}")
        hashes = (shard.sha256, shard.metadata_sha256)
        fits = all(map(_is_hash, hashes)) and manifest.dim > 0 if shard.rows else hashes == ("", "")
        _require(fits, f"shard {shard.number} of {shard.rows} rows with the hashes {hashes}")
    return manifest


def _check(manifest: ModalityManifest | TokenManifest, name: str) -> None:
    """Check what rows and tokens have in common; ``name`` is the modality they are filed under."""
    check_modality(name)
    _require(manifest.modality == name, f"modality {manifest.modality!r} in the place of {name!r}")
    _require(manifest.dtype in DTYPES, f"dtype {manifest.dtype!r}")
    _require(_is_count(manifest.dim), f"dim {manifest.dim!r}")
    texts = {field: value for field, value in vars(manifest).items() if field in TEXTS}
    for field, value in texts.items():
        _require(isinstance(value, str), f"{field} {value!r}")
    _require(isinstance(manifest.numbered, bool | None), f"numbered {manifest.numbered!r}")
    numbers = [shard.number for shard in manifest.shards]
    _require(all(map(_is_count, [*numbers, *manifest.loose])), f"shards {numbers} and {manifest.loose}")
    _require(len({*numbers, *manifest.loose}) == len(numbers) + len(manifest.loose), f"shards {numbers}, one twice")


def _check_token_shard(shard: TokenShard, *, sealed: bool) -> None:
    _require(_is_count(shard.items) and _is_count(shard.tokens), f"{shard.items!r} items, {shard.tokens!r} tokens")
    expected = {*TOKEN_ARRAYS, "ids"} if sealed else {*TOKEN_ARRAYS, *({"ids"} & set(shard.sha256))}
    _require(set(shard.sha256) == expected, f"hashes of {', '.join(shard.sha256)}")
    _require(all(map(_is_hash, shard.sha256.values())), f"hashes {shard.sha256}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and SHA256.fullmatch(value) is not None
