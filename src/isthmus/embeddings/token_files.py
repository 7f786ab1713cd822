"""Tokens on disk, next to a set's embeddings: shards of vectors, offsets and places, and a manifest of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.atomic import atomic_path, write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import sha256_of
from isthmus.embeddings.checks import check_ids
from isthmus.embeddings.tokens import PLACES, TokenPart, Tokens

FORMAT = "isthmus-tokens-1"
MANIFEST = "manifest.json"
DTYPES = ("float16", "float32")


class TokenWriter:
    """Writes one modality's tokens, one shard a call; a run that is killed leaves all completed shards.

    The files are ``<modality>_tokens/{vectors,offsets,places,ids}_<n>``. ``items_done`` says how many items earlier
    runs completed. Raises `IsthmusError` where what is there differs in space, dimension, unit or dtype.
    """

    def __init__(
        self, path: str | Path, *, modality: str, space: str, dim: int, unit: str, dtype: str = "float16"
    ) -> None:
        if dtype not in DTYPES:
            raise IsthmusError(f"dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
        self.folder = tokens_folder(Path(path), modality)
        asked = {"modality": modality, "space": space, "dim": dim, "unit": unit, "dtype": dtype}
        self._manifest: dict[str, Any] = {**asked, "shards": []}
        if (self.folder / MANIFEST).is_file():
            self._manifest = read_manifest(self.folder)
        for name, value in asked.items():
            if self._manifest[name] != value:
                raise IsthmusError(
                    f"{self.folder}: its {name} is {self._manifest[name]!r}, not {value!r}: write to another folder"
                )

    @property
    def items_done(self) -> int:
        """Items in completed shards."""
        return sum(shard["items"] for shard in self._manifest["shards"])

    def append(self, tokens: Tokens) -> None:
        """Write the tokens of new items as the next shard."""
        if (tokens.modality, tokens.space, tokens.dim, tokens.unit) != tuple(
            self._manifest[name] for name in ("modality", "space", "dim", "unit")
        ):
            raise IsthmusError(f"{self.folder}: {tokens!r} are of another kind: write them to another folder")
        number = max((shard["number"] for shard in self._manifest["shards"]), default=-1) + 1
        self.commit(write_token_shard(self.folder, number, tokens, self._manifest["dtype"]))

    def commit(self, *shards: dict[str, Any], keep: Callable[[int], bool] = lambda number: True) -> None:
        """Put written shards into the manifest, in place of those of their numbers; drop those not to be kept."""
        added = {shard["number"] for shard in shards}
        kept = [shard for shard in self._manifest["shards"] if shard["number"] not in added and keep(shard["number"])]
        self._manifest["shards"] = sorted([*kept, *shards], key=lambda shard: shard["number"])
        content = {"format": FORMAT, "isthmus": version("isthmus"), **self._manifest}
        write_text_atomically(self.folder / MANIFEST, json.dumps(content, indent=1) + "\n")


def write_token_shard(folder: Path, number: int, tokens: Tokens, dtype: str) -> dict[str, Any]:
    """Write the files of a shard, each whole or not at all; returns what the manifest is to say of it."""
    arrays = {"vectors": tokens.vectors.astype(dtype), "offsets": tokens.offsets, "places": tokens.places}
    hashes = {}
    for name, array in arrays.items():
        file = folder / f"{name}_{number}.npy"
        with atomic_path(file) as part, part.open("wb") as stream:
            np.save(stream, array)
        hashes[name] = sha256_of(file)
    write_text_atomically(folder / f"ids_{number}.json", json.dumps(tokens.ids))
    return {"number": number, "items": len(tokens), "tokens": int(tokens.offsets[-1]), "sha256": hashes}


def save_tokens(tokens: Tokens, path: str | Path, *, dtype: str = "float16", shard_items: int = 20_000) -> Path:
    """Write tokens into the set at ``path``, in shards; returns the folder of the set.

    Raises `IsthmusError` where the set has tokens of this modality already.
    """
    writer = TokenWriter(
        path, modality=tokens.modality, space=tokens.space, dim=tokens.dim, unit=tokens.unit, dtype=dtype
    )
    if writer.items_done:
        raise IsthmusError(f"{writer.folder}: holds tokens of {writer.items_done} items already: give another folder")
    for block in tokens.batches(shard_items):
        writer.append(block)
    return Path(path)


def open_tokens(path: str | Path, modality: str) -> Tokens:
    """The tokens of one modality of a set, memory-mapped.

    Raises `IsthmusError` naming the file that is absent, cut short, or of another shape than the manifest says.
    """
    folder = tokens_folder(Path(path), modality)
    if not folder.is_dir():
        raise IsthmusError(f"{folder}: not found: the set has no {modality} tokens")
    manifest = read_manifest(folder)
    parts, ids = [], []
    for shard in manifest["shards"]:
        parts.append(_part(folder, shard["number"], shard, manifest))
        ids += _ids(folder / f"ids_{shard['number']}.json", shard["items"])
    check_ids(ids, len(ids), str(folder))
    return Tokens(
        parts, modality=modality, space=manifest["space"], dim=manifest["dim"], ids=ids, unit=manifest["unit"]
    )


def select_tokens(
    path: str | Path, modality: str | None = None, *, ids: Sequence[str] = (), option: str = "modality"
) -> Tokens:
    """Open the tokens of one modality of a set, memory-mapped; of all items, or of ``ids`` in their order.

    Args:
        path: Folder of the set.
        modality: May be left out if the set has tokens of one modality only.
        ids: Items to select; empty for all.
        option: What the error calls ``modality`` if the set has tokens of several and none is named.

    Raises:
        IsthmusError: The set has no tokens, none of this modality, or none of an item.
    """
    found = token_modalities(path)
    if not found:
        raise IsthmusError(f"{path}: has no tokens; codes need an encoder's token outputs (save_tokens writes them)")
    if modality is None and len(found) > 1:
        raise IsthmusError(f"{path}: has tokens of {', '.join(found)}: choose one with {option}")
    if modality is not None and modality not in found:
        raise IsthmusError(f"{path}: has no {modality} tokens, only {', '.join(found)}")
    tokens = open_tokens(path, modality or found[0])
    if not ids:
        return tokens
    check_ids(list(ids), len(ids), str(path))
    row_of = {item: row for row, item in enumerate(tokens.ids)}
    missing = next((item for item in ids if item not in row_of), None)
    if missing is not None:
        raise IsthmusError(f"{path}: {tokens.modality} item {missing!r} has no tokens: embed it again with tokens")
    return tokens.take(np.array([row_of[item] for item in ids]))


def token_modalities(path: str | Path) -> list[str]:
    """The modalities whose tokens a set holds."""
    return sorted(file.parent.name.removesuffix("_tokens") for file in Path(path).glob(f"*_tokens/{MANIFEST}"))


def verify_tokens(path: str | Path, modality: str) -> None:
    """Read every file and compare with its hash. Raises `IsthmusError` naming the first that differs."""
    folder = tokens_folder(Path(path), modality)
    for shard in read_manifest(folder)["shards"]:
        for name, expected in shard["sha256"].items():
            file = folder / f"{name}_{shard['number']}.npy"
            if not file.is_file() or sha256_of(file) != expected:
                raise IsthmusError(f"{file}: absent, altered or cut short: write the tokens again")


def tokens_folder(path: Path, modality: str) -> Path:
    """Where a set keeps the tokens of a modality."""
    return path / f"{modality}_tokens"


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a folder of tokens says of itself. Raises `IsthmusError` where it is no such folder."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT or content["unit"] not in PLACES or content["dtype"] not in DTYPES:
            raise ValueError(f"format {content['format']!r}, unit {content['unit']!r}, dtype {content['dtype']!r}")
        shards = [{"number": number, **shard} for number, shard in enumerate(content["shards"])]
        return {**{name: content[name] for name in ("modality", "space", "dim", "unit", "dtype")}, "shards": shards}
    except FileNotFoundError as error:
        raise IsthmusError(f"{path}: not found: the tokens are incomplete, write them again") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IsthmusError(f"{path}: not a manifest of tokens ({error}): write the tokens again") from error


def _part(folder: Path, number: int, shard: dict[str, Any], manifest: dict[str, Any]) -> TokenPart:
    width = len(PLACES[manifest["unit"]])
    shapes = {
        "vectors": (shard["tokens"], manifest["dim"]),
        "offsets": (shard["items"] + 1,),
        "places": (shard["tokens"], width),
    }
    return TokenPart(**{name: _mapped(folder / f"{name}_{number}.npy", shape) for name, shape in shapes.items()})


def _mapped(file: Path, shape: Sequence[int]) -> np.ndarray:
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise IsthmusError(f"{file}: absent, cut short or not an .npy file: write the tokens again") from error
    if found.shape != tuple(shape):
        raise IsthmusError(f"{file}: shape {found.shape}, the manifest says {tuple(shape)}: write the tokens again")
    return found


def _ids(file: Path, items: int) -> list[str]:
    try:
        found = [str(name) for name in json.loads(file.read_text())]
    except (OSError, ValueError) as error:
        raise IsthmusError(f"{file}: absent or not readable: write the tokens again") from error
    if len(found) != items:
        raise IsthmusError(f"{file}: {len(found)} ids, the manifest says {items}: write the tokens again")
    return found
