"""The store: the set that a job writes to. Shards are committed whole; later runs can drop and rename rows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError, reading
from isthmus.bulk.encoding import EncodedShard
from isthmus.bulk.job import Job
from isthmus.bulk.records import (
    Failure,
    KnownRow,
    is_gone,
    known_rows,
    metadata_of,
    read_failures,
    uri_of,
    write_failures,
)
from isthmus.embeddings.layout import metadata_file, tokens_folder, vectors_file
from isthmus.embeddings.manifest import (
    ModalityManifest,
    Shard,
    TokenShard,
    agreed,
    commit,
    read_manifest,
    read_token_manifest,
)
from isthmus.embeddings.shards import map_rows, write_shard
from isthmus.embeddings.token_files import TokenWriter, open_tokens, write_token_shard
from isthmus.media import Item
from isthmus.spaces.batching import joined_tokens

LOCK = ".embed.lock"


@dataclass(frozen=True)
class ShardFiles:
    """The files of a shard, not yet committed; ``shard`` has no rows if none of its items could be read.

    ``cut`` counts the texts of which the encoder saw only the beginning.
    """

    shard: Shard
    failures: tuple[Failure, ...]
    dim: int | None = None
    tokens: TokenShard | None = None
    token_facts: Mapping[str, Any] | None = None
    cut: int = 0


def write_encoded(job: Job, space: str, number: int, encoded: EncodedShard) -> ShardFiles:
    """Write the files of a shard. They do not belong to the set until they are committed."""
    folder, modality, dtype = job.out, job.modality, job.config.dtype
    failures = tuple(
        Failure(item.id, modality, uri_of(item), why, item.stamp, number) for item, why in encoded.problems
    )
    if not encoded.items:
        return ShardFiles(Shard(number, 0, "", ""), failures)
    vectors = np.stack([one.row for one in encoded.items]).astype(dtype)
    rows = [metadata_of(one.item, encoded.contents[one.item.id]) for one in encoded.items]
    shard = write_shard(folder, modality, number, vectors, rows)
    parts = [one.tokens for one in encoded.items if one.tokens is not None]
    if not parts:
        return ShardFiles(shard, failures, vectors.shape[1], cut=encoded.cut)
    tokens = joined_tokens(parts, [one.item.id for one in encoded.items], modality=modality, space=space)
    entry = write_token_shard(tokens_folder(folder, modality), number, tokens, dtype)
    return ShardFiles(shard, failures, vectors.shape[1], entry, {"dim": tokens.dim, "unit": tokens.unit}, encoded.cut)


class Store:
    """One modality of the set at ``folder``. Raises `IsthmusError` if the set was made with other settings."""

    def __init__(self, folder: Path, asked: ModalityManifest) -> None:
        self.folder, self.asked = folder, asked
        present = read_manifest(folder)
        other = next((entry for entry in present.values() if entry.space != asked.space), None)
        if other is not None:
            raise IsthmusError(
                f"{folder}: its {other.modality} rows are in space {other.space!r}, not {asked.space!r}: a set has one "
                "space, write to another folder"
            )
        there = present.get(asked.modality)
        self.entry = agreed(folder, there, asked if there is None else replace(asked, dim=there.dim))
        if self.entry.numbered is None:
            self.entry = replace(self.entry, numbered=asked.numbered)
        if there is None:
            self._claim()
        self._tokens: TokenWriter | None = None
        every = read_failures(folder)
        self._others = [failure for failure in every if failure.modality != asked.modality]
        own = [failure for failure in every if failure.modality == asked.modality]
        self._failures = [failure for failure in own if failure.shard in self.numbers]

    def _claim(self) -> None:
        """Name the modality in the manifest before writing, so that `clean` only deletes files of this set."""
        stranger = next((file for own in self._folders if own.is_dir() for file in own.iterdir()), None)
        if stranger is not None:
            raise IsthmusError(
                f"{stranger}: exists and is in no manifest of isthmus: write to another folder (isthmus convert "
                "reads sets made elsewhere)"
            )
        commit(self.folder, self.entry)

    @property
    def _folders(self) -> tuple[Path, Path, Path]:
        """The folders of this modality's vectors, metadata and tokens."""
        modality = self.asked.modality
        return (
            vectors_file(self.folder, modality, 0).parent,
            metadata_file(self.folder, modality, 0).parent,
            tokens_folder(self.folder, modality),
        )

    @property
    def numbers(self) -> set[int]:
        """The numbers of the committed shards."""
        return {shard.number for shard in self.entry.shards}

    @property
    def failures(self) -> list[Failure]:
        """The items of this modality that could not be read."""
        return self._failures

    def known(self) -> dict[str, KnownRow]:
        """The rows by id."""
        return known_rows(self.folder, self.entry)

    def new_numbers(self) -> Iterator[int]:
        """Unused shard numbers, smallest first."""
        taken, number = self.numbers, 0
        while True:
            if number not in taken:
                yield number
            number += 1

    def commit(self, written: ShardFiles) -> None:
        """Add a shard to the set: failures first, then tokens, then the manifest, which decides."""
        if written.dim and self.entry.rows and written.dim != self.entry.dim:
            raise IsthmusError(
                f"{self.folder}: its {self.asked.modality} rows have {self.entry.dim} dimensions, the new ones "
                f"{written.dim}: write to another folder"
            )
        if written.failures:
            self._failures += written.failures
            write_failures(self.folder, self._others + self._failures)
        if written.tokens is not None and written.token_facts is not None:
            self._token_writer(written.token_facts).commit(written.tokens)
        shards = sorted((*self.entry.shards, written.shard), key=lambda shard: shard.number)
        self.entry = replace(self.entry, dim=written.dim or self.entry.dim, shards=tuple(shards))
        commit(self.folder, self.entry)

    def forget_failures(self, ids: Collection[str]) -> None:
        """Forget the failures of items that will be tried again, and of local files that are gone."""
        self._failures = [
            failure for failure in self._failures if failure.id not in ids and not is_gone(failure.uri, failure.stamp)
        ]
        write_failures(self.folder, self._others + self._failures)

    def edit(self, dropped: Collection[str], renamed: Mapping[str, Item]) -> None:
        """Drop rows and give others the id of a new item. The shards they are in are rewritten, all or none."""
        touched = sorted({row.shard for row in self.known().values() if row.id in dropped or row.id in renamed})
        if not touched:
            return
        has_tokens = (self._folders[2] / "manifest.json").is_file()
        tokens = open_tokens(self.folder, self.asked.modality) if has_tokens else None
        place_of = {} if tokens is None else {name: place for place, name in enumerate(tokens.ids)}
        new_of = dict(zip(touched, self.new_numbers(), strict=False))
        shards, entries = [], []
        for old, new in new_of.items():
            shard, kept_ids, ids = self._rewritten(old, new, dropped, renamed)
            shards.append(shard)
            if tokens is not None and ids:
                own = tokens.take(np.array([place_of[name] for name in kept_ids])).named(ids)
                entries.append(write_token_shard(self._folders[2], new, own, self.asked.dtype))
        if tokens is not None:
            self._token_writer({"dim": tokens.dim, "unit": tokens.unit}).commit(*entries)
        kept = [shard for shard in self.entry.shards if shard.number not in new_of]
        self.entry = replace(self.entry, shards=tuple(sorted([*kept, *shards], key=lambda shard: shard.number)))
        moved = [replace(failure, shard=new_of.get(failure.shard, failure.shard)) for failure in self._failures]
        self._failures = moved
        write_failures(self.folder, self._others + moved)
        commit(self.folder, self.entry)
        self.clean()

    def _rewritten(
        self, old: int, new: int, dropped: Collection[str], renamed: Mapping[str, Item]
    ) -> tuple[Shard, list[str], list[str]]:
        """Write a shard anew without the dropped rows, uncommitted. Returns it with the old and new ids of its rows."""
        import pyarrow.parquet

        modality = self.entry.modality
        file = metadata_file(self.folder, modality, old)
        with reading(file, "restore it, or embed into another folder"):
            every = pyarrow.parquet.read_table(file).to_pylist()
        kept = [place for place, row in enumerate(every) if row["id"] not in dropped]
        if not kept:
            return Shard(new, 0, "", ""), [], []
        before = [every[place] for place in kept]
        rows = [metadata_of(renamed[row["id"]], row["content"]) if row["id"] in renamed else row for row in before]
        vectors = np.asarray(map_rows(vectors_file(self.folder, modality, old))[kept])
        shard = write_shard(self.folder, modality, new, vectors, rows)
        return shard, [row["id"] for row in before], [str(row["id"]) for row in rows]

    def _token_writer(self, facts: Mapping[str, Any]) -> TokenWriter:
        if self._tokens is None:
            self._tokens = TokenWriter(
                self.folder,
                modality=self.asked.modality,
                space=self.asked.space,
                dtype=self.asked.dtype,
                dim=int(facts["dim"]),
                unit=str(facts["unit"]),
                numbered=self.entry.numbered,
            )
        return self._tokens

    def clean(self) -> None:
        """Delete the files of shards that are not committed: an interrupted run or `edit` left them."""
        numbers = self.numbers
        if (self._folders[2] / "manifest.json").is_file():
            kept = read_token_manifest(self._folders[2])
            self._token_writer({"dim": kept.dim, "unit": kept.unit}).commit(keep=numbers.__contains__)
        for folder in self._folders:
            for file in folder.glob("*_*.*") if folder.is_dir() else ():
                number = file.stem.rpartition("_")[2]
                if number.isdigit() and int(number) not in numbers:
                    file.unlink()
            for part in folder.glob(".*.part") if folder.is_dir() else ():
                part.unlink()


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock the folder: two jobs that write to one set would undo each other's shards."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise IsthmusError(f"{folder}: another isthmus embed is writing to it: wait for it, or stop it") from error
        yield
    finally:
        os.close(handle)
