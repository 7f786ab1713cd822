"""Tokens on disk, next to the vectors of a set: shards of vectors, offsets and places, with a separate manifest."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import sha256_of
from isthmus.base.json_files import read_json
from isthmus.base.paths import user_path
from isthmus.embeddings.checks import as_ids, check_ids, check_modality
from isthmus.embeddings.layout import token_files, tokens_folder
from isthmus.embeddings.ledger import TokenLedger
from isthmus.embeddings.manifest import (
    DTYPES,
    EMBED_JOB,
    MANIFEST,
    TokenManifest,
    TokenShard,
    agreed,
    read_manifest,
    read_token_manifest,
    recorded_numbering,
    require_finished,
)
from isthmus.embeddings.shards import map_array, verify_file, write_array
from isthmus.embeddings.tokens import PLACES, TokenPart, Tokens


class TokenWriter:
    """Appends tokens to one modality of a set on disk, one shard per call.

    A shard is committed to the manifest when it is complete. If a run is killed, the set keeps every complete shard,
    and a new writer on the same folder continues after them. As a context manager it marks the tokens as unfinished
    until its block ends without an error. No other writer can write the tokens until it is closed or deleted.

    Args:
        path: Folder of the set; created if it does not exist.
        modality: What the items are.
        space: Space of the token vectors.
        dim: Number of dimensions.
        unit: Unit of the places: pixels, seconds or characters.
        dtype: Precision on disk, float16 or float32.
        job: What must be run again if the block of a context manager is stopped; errors name it.
        restart: Drop the tokens of an unfinished job of this name, instead of going on after them.

    Raises:
        IsthmusError: The set has tokens of this modality with another space, dimension, unit or dtype, or another
            writer is writing them.

    Example:
        >>> import tempfile
        >>> vectors, places = np.ones((3, 2), np.float32), np.array([[0, 1], [0, 1], [1, 2]], np.float32)
        >>> kind = {"modality": "audio", "space": "clap", "unit": "seconds"}
        >>> writer = TokenWriter(tempfile.mkdtemp(), dim=2, **kind)
        >>> writer.append(Tokens.from_arrays(vectors, np.array([0, 1, 3]), places, ids=["dog", "cat"], **kind))
        >>> writer.items_done
        2
    """

    def __init__(
        self,
        path: str | Path,
        *,
        modality: str,
        space: str,
        dim: int,
        unit: str,
        dtype: str = "float16",
        job: str = "TokenWriter",
        restart: bool = False,
    ) -> None:
        if dtype not in DTYPES:
            raise IsthmusError(f"dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
        self.folder = tokens_folder(user_path(path), modality)
        self._job = job
        asked = TokenManifest(modality, space, dim, unit, dtype)
        self._ledger = TokenLedger(self.folder, asked, job, restart=restart)
        self._ledger.job = ""

    @property
    def _manifest(self) -> TokenManifest:
        return self._ledger.entry

    @property
    def items_done(self) -> int:
        """Items in complete shards, including those of earlier runs."""
        return self._manifest.items

    def append(self, tokens: Tokens) -> None:
        """Write the tokens of new items as the next shard.

        Args:
            tokens: Tokens of the writer's modality, space, dimension and unit.

        Raises:
            IsthmusError: The tokens are of another kind, or have ids and those in the set do not, or the reverse.
        """
        own, facts = self._manifest, (tokens.modality, tokens.space, tokens.dim, tokens.unit)
        first = self._first_id() if tokens.numbered and own.numbered is None else "0"
        agreed(self.folder, own, TokenManifest(*facts, own.dtype, (), tokens.numbered), first)
        numbered = own.numbered if own.items or not tokens.ids else recorded_numbering(tokens.numbered, tokens.ids[0])
        number = self._ledger.claim()[0]
        self._ledger.commit(write_token_shard(self.folder, number, tokens, own.dtype), numbered=numbered)

    def _first_id(self) -> str:
        """The first id that is there; "0" if there are no items."""
        shard = next((shard for shard in self._manifest.shards if shard.items), None)
        return "0" if shard is None else _ids(token_files(self.folder, shard.number)["ids"], shard.items)[0]

    def close(self) -> None:
        """Let others write."""
        self._ledger.close()

    def __enter__(self) -> TokenWriter:
        self._ledger.job = self._job
        return self

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
        if kind is None:
            self._ledger.finish()
        self.close()


def write_token_shard(folder: Path, number: int, tokens: Tokens, dtype: str) -> TokenShard:
    """Write the files of a shard. It becomes part of the set only when it is committed to the manifest."""
    arrays = {"vectors": tokens.vectors.astype(dtype), "offsets": tokens.offsets, "places": tokens.places}
    files = token_files(folder, number)
    hashes = {name: write_array(files[name], array) for name, array in arrays.items()}
    write_text_atomically(files["ids"], json.dumps(tokens.ids))
    return TokenShard(number, len(tokens), int(tokens.offsets[-1]), {**hashes, "ids": sha256_of(files["ids"])})


def save_tokens(tokens: Tokens, path: str | Path, *, dtype: str = "float16", shard_items: int = 20_000) -> Path:
    """Write tokens as one modality of a set.

    Args:
        tokens: The tokens.
        path: Folder of the set; created if it does not exist.
        dtype: Precision on disk, float16 or float32.
        shard_items: Items per shard.

    Returns:
        The folder.

    Raises:
        IsthmusError: The set already has tokens of this modality.

    Example:
        >>> import tempfile
        >>> vectors, places = np.ones((3, 2), np.float32), np.array([[0, 1], [0, 1], [1, 2]], np.float32)
        >>> kind = {"modality": "audio", "space": "clap", "unit": "seconds"}
        >>> tokens = Tokens.from_arrays(vectors, np.array([0, 1, 3]), places, ids=["dog", "cat"], **kind)
        >>> open_tokens(save_tokens(tokens, tempfile.mkdtemp()))
        Tokens(3 of 2 audio items, 2-d, space 'clap')
    """
    with TokenWriter(
        path,
        modality=tokens.modality,
        space=tokens.space,
        dim=tokens.dim,
        unit=tokens.unit,
        dtype=dtype,
        job="save_tokens",
        restart=True,
    ) as writer:
        if writer.items_done:
            raise IsthmusError(
                f"{writer.folder}: already has tokens of {writer.items_done} items: save to another folder, or append "
                "with isthmus.embeddings.TokenWriter"
            )
        for block in tokens.batches(shard_items):
            writer.append(block)
    return user_path(path)


def open_tokens(
    path: str | Path,
    modality: str | None = None,
    *,
    ids: Sequence[str] | Sequence[int] = (),
    option: str = "modality",
    unfinished: bool = False,
) -> Tokens:
    """Open the tokens of one modality of a set on disk, memory-mapped.

    Args:
        path: Folder of the set.
        modality: The modality; not needed if the set has tokens of only one.
        ids: Ids of the items to select, which are then read; empty for all items.
        option: What errors call ``modality``; a command passes the name of its option.
        unfinished: Open the tokens there are, even if a job has not written all of them.

    Raises:
        IsthmusError: The set has no tokens of this modality or of an item, or a file is missing or truncated.

    Example:
        >>> import tempfile
        >>> vectors, places = np.ones((3, 2), np.float32), np.array([[0, 1], [0, 1], [1, 2]], np.float32)
        >>> kind = {"modality": "audio", "space": "clap", "unit": "seconds"}
        >>> tokens = Tokens.from_arrays(vectors, np.array([0, 1, 3]), places, ids=["dog", "cat"], **kind)
        >>> folder = save_tokens(tokens, tempfile.mkdtemp())
        >>> open_tokens(folder, "audio", ids=["cat"])
        Tokens(2 of 1 audio items, 2-d, space 'clap')
    """
    found = token_modalities(path)
    if not found:
        raise IsthmusError(f"{path}: has no tokens: embed with --tokens, or write them with save_tokens")
    if modality is None and len(found) > 1:
        raise IsthmusError(f"{path}: has tokens of {', '.join(found)}: choose one with {option}")
    if modality is not None and modality not in found:
        raise IsthmusError(f"{path}: has no {modality} tokens, only {', '.join(found)}: choose one with {option}")
    tokens = _open(user_path(path), modality or found[0], unfinished)
    if len(ids) == 0:
        return tokens
    wanted = as_ids(ids, str(path))
    row_of = {item: row for row, item in enumerate(tokens.ids)}
    missing = next((item for item in wanted if item not in row_of), None)
    if missing is not None:
        raise IsthmusError(f"{path}: {tokens.modality} item {missing!r} has no tokens: embed it again with --tokens")
    return tokens.take(np.array([row_of[item] for item in wanted]))


def token_modalities(path: str | Path) -> list[str]:
    """The modalities that have tokens in a set on disk, sorted.

    Args:
        path: Folder of the set.
    """
    found = sorted(file.parent.name.removesuffix("_tokens") for file in user_path(path).glob(f"*_tokens/{MANIFEST}"))
    for modality in found:
        check_modality(modality)
    return found


def verify_tokens(path: str | Path, modality: str) -> None:
    """Compare every file of one modality's tokens with its hash.

    Args:
        path: Folder of the set.
        modality: The modality.

    Raises:
        IsthmusError: A file is missing or altered; the first one is named.
    """
    folder = tokens_folder(user_path(path), modality)
    for shard in read_token_manifest(folder).shards:
        files = token_files(folder, shard.number)
        for name, expected in shard.sha256.items():
            verify_file(files[name], expected)


def _open(path: Path, modality: str, unfinished: bool) -> Tokens:
    folder = tokens_folder(path, modality)
    manifest = read_token_manifest(folder)
    if not unfinished:
        require_finished(path, modality, manifest.unfinished, "tokens")
    numbers = _numbers_of_rows(path, modality, unfinished)
    shards = [shard for shard in manifest.shards if numbers is None or shard.number in numbers]
    parts = [_part(folder, shard, manifest) for shard in shards]
    ids = [name for shard in shards for name in _ids(token_files(folder, shard.number)["ids"], shard.items)]
    check_ids(ids, len(ids), str(folder))
    return Tokens(
        parts,
        modality=manifest.modality,
        space=manifest.space,
        dim=manifest.dim,
        ids=ids,
        unit=manifest.unit,
        numbered=manifest.numbered,
    )


def _numbers_of_rows(path: Path, modality: str, unfinished: bool) -> Collection[int] | None:
    """The shards whose tokens count while `embed` has not finished: those whose rows are in the set, too.

    None if any token counts. Raises `IsthmusError` if `embed` has not finished, unless asked for ``unfinished`` tokens.
    """
    rows = read_manifest(path).get(modality)
    if rows is None or rows.unfinished != EMBED_JOB:
        return None
    if not unfinished:
        require_finished(path, modality, rows.unfinished)
    return {shard.number for shard in rows.shards}


def _part(folder: Path, shard: TokenShard, manifest: TokenManifest) -> TokenPart:
    width = len(PLACES[manifest.unit])
    shapes = {"vectors": (shard.tokens, manifest.dim), "offsets": (shard.items + 1,), "places": (shard.tokens, width)}
    files = token_files(folder, shard.number)
    return TokenPart(**{name: _mapped(files[name], shape) for name, shape in shapes.items()})


def _mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    found = map_array(file)
    if found.shape != shape:
        raise IsthmusError(f"{file}: shape {found.shape}, but the manifest says {shape}: write the tokens again")
    return found


def _ids(file: Path, items: int) -> list[str]:
    content = read_json(file, "write the tokens again")
    if not isinstance(content, list):
        raise IsthmusError(f"{file}: not a list of ids: write the tokens again")
    found = as_ids(content, str(file))
    if len(found) != items:
        raise IsthmusError(f"{file}: {len(found)} ids, but the manifest says {items}: write the tokens again")
    return found
