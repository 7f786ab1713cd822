"""The store: a set that a job writes into. A shard is committed whole or not at all; rows can go again later."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.bulk.encoding import Encoded
from isthmus.bulk.job import Job
from isthmus.bulk.records import (
    Failure,
    Known,
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
class Written:
    """A shard whose files are written, not yet committed; ``shard`` has no rows where no item could be read."""

    shard: Shard
    tokens: TokenShard | None
    token_facts: Mapping[str, Any] | None
    failures: tuple[Failure, ...]
    dim: int | None


def write_encoded(job: Job, space: str, number: int, encoded: Encoded) -> Written:
    """Write the files of a shard. Nothing knows of them before they are committed."""
    folder, modality, dtype = job.out, job.modality, job.config.dtype
    failures = tuple(
        Failure(item.id, modality, uri_of(item), why, item.stamp, number) for item, why in encoded.problems
    )
    if not encoded.items:
        return Written(Shard(number, 0, "", ""), None, None, failures, None)
    vectors = np.stack(encoded.rows).astype(dtype)
    rows = [metadata_of(item, content) for item, content in zip(encoded.items, encoded.contents, strict=True)]
    shard = write_shard(folder, modality, number, vectors, rows)
    if not encoded.tokens:
        return Written(shard, None, None, failures, vectors.shape[1])
    ids = [item.id for item in encoded.items]
    tokens = joined_tokens(encoded.tokens, ids, modality=modality, space=space)
    facts = {"dim": tokens.dim, "unit": tokens.unit}
    entry = write_token_shard(tokens_folder(folder, modality), number, tokens, dtype)
    return Written(shard, entry, facts, failures, vectors.shape[1])


class Store:
    """One modality of the set at ``folder``. Raises `IsthmusError` where what is there was made otherwise."""

    def __init__(self, folder: Path, asked: ModalityManifest) -> None:
        self.folder, self.asked = folder, asked
        present = read_manifest(folder)
        other = next((entry for entry in present.values() if entry.space != asked.space), None)
        if other is not None:
            raise IsthmusError(
                f"{folder}: its {other.modality} rows are of space {other.space!r}, not {asked.space!r}: a set is of "
                "one space, write to another folder"
            )
        there = present.get(asked.modality)
        self.entry = agreed(folder, there, asked if there is None else replace(asked, dim=there.dim))
        if there is None:
            self._claim()
        self._tokens: TokenWriter | None = None
        every = read_failures(folder)
        self._others = [failure for failure in every if failure.modality != asked.modality]
        own = [failure for failure in every if failure.modality == asked.modality]
        self._failures = [failure for failure in own if failure.shard in self.numbers]

    def _claim(self) -> None:
        """Name the modality in the manifest before anything is written: what `clean` deletes is then this set's own."""
        stranger = next((file for own in self._folders if own.is_dir() for file in own.iterdir()), None)
        if stranger is not None:
            raise IsthmusError(
                f"{stranger}: is there, and no manifest of isthmus names it: write to another folder (isthmus convert "
                "reads sets made elsewhere)"
            )
        commit(self.folder, self.entry)

    @property
    def _folders(self) -> tuple[Path, Path, Path]:
        """Where this modality's vectors, metadata and tokens lie."""
        modality = self.asked.modality
        return (
            vectors_file(self.folder, modality, 0).parent,
            metadata_file(self.folder, modality, 0).parent,
            tokens_folder(self.folder, modality),
        )

    @property
    def numbers(self) -> set[int]:
        """Numbers of committed shards."""
        return {shard.number for shard in self.entry.shards}

    @property
    def failures(self) -> list[Failure]:
        """Items of this modality that could not be read."""
        return self._failures

    def known(self) -> dict[str, Known]:
        """Rows by id."""
        return known_rows(self.folder, self.entry)

    def new_numbers(self) -> Iterator[int]:
        """Numbers that no committed shard has, smallest first."""
        taken, number = self.numbers, 0
        while True:
            if number not in taken:
                yield number
            number += 1

    def commit(self, written: Written) -> None:
        """Take a written shard into the set: failures first, then tokens, then the manifest, which decides."""
        if written.dim and self.entry.rows and written.dim != self.entry.dim:
            raise IsthmusError(
                f"{self.folder}: vectors of {written.dim} dimensions, its {self.asked.modality} rows have "
                f"{self.entry.dim}: write to another folder"
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
        """Let items be tried again, and forget those that are gone."""
        self._failures = [
            failure
            for failure in self._failures
            if failure.id not in ids and not (failure.uri and is_gone(failure.uri))
        ]
        write_failures(self.folder, self._others + self._failures)

    def edit(self, dropped: Collection[str], renamed: Mapping[str, Item]) -> None:
        """Take rows out and give others the name of a new item: shards that hold some are written anew, all or none."""
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
        """A shard's files without the dropped rows, under a new number, uncommitted; its rows' old and new ids."""
        import pyarrow.parquet

        modality = self.entry.modality
        every = pyarrow.parquet.read_table(metadata_file(self.folder, modality, old)).to_pylist()
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
            )
        return self._tokens

    def clean(self) -> None:
        """Delete what a run that was killed, or a rewriting, left: files of shards that are not committed."""
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
    """Hold the folder: two jobs that write into one set would undo each other's shards."""
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
            raise IsthmusError(
                f"{folder}: another isthmus embed is writing into it: wait for it, or stop it"
            ) from error
        yield
    finally:
        os.close(handle)


def failure_ids(failures: list[Failure], items: Mapping[str, Item]) -> set[str]:
    """Failures whose item is as it was: trying it again would fail again."""
    return {failure.id for failure in failures if failure.id in items and items[failure.id].stamp == failure.stamp}
