"""The store: the set that a job writes to. Shards are committed whole; later runs can drop and rename rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
from isthmus.embeddings import Tokens
from isthmus.embeddings.layout import metadata_file, tokens_folder, vectors_file
from isthmus.embeddings.ledger import RowLedger, TokenLedger
from isthmus.embeddings.manifest import (
    EMBED_JOB,
    MANIFEST,
    ModalityManifest,
    Shard,
    TokenManifest,
    TokenShard,
    read_manifest,
    read_token_manifest,
)
from isthmus.embeddings.shards import map_rows, write_shard
from isthmus.embeddings.token_files import open_tokens, write_token_shard
from isthmus.media import Item
from isthmus.spaces.batching import joined_tokens


@dataclass(frozen=True)
class ShardFiles:
    """The files of a shard, not yet committed; ``shard`` has no rows if none of its items could be read.

    ``cut`` counts the texts that were longer than the encoder reads.
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
        Failure(
            item.id, modality, uri_of(item), why, item.stamp, number, encoded.dim if item.id in encoded.misfits else 0
        )
        for item, why in encoded.problems
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
    """One modality of the set at ``folder``, while this process writes it; a context manager that lets others write.

    From the first change until `finish`, the rows are unfinished. Raises `IsthmusError` if the set was made with other
    settings, or another process is writing the modality.
    """

    def __init__(self, folder: Path, asked: ModalityManifest) -> None:
        self.folder, self.asked = folder, asked
        self._check_space(read_manifest(folder))
        self._ledger = RowLedger(folder, asked, EMBED_JOB, with_tokens=True, check=self._check_space)
        self._tokens: TokenLedger | None = None
        self._as_it_was = self._ledger.listed and not self.entry.unfinished
        if self.entry.numbered is None:
            self._ledger.entry = replace(self.entry, numbered=asked.numbered)
        try:
            self._repair()
        except BaseException:
            self.close()
            raise
        own = [failure for failure in read_failures(folder) if failure.modality == asked.modality]
        self._failures = [failure for failure in own if failure.shard in self._ledger.numbers]

    def _check_space(self, present: Mapping[str, ModalityManifest]) -> None:
        other = next((entry for entry in present.values() if entry.space != self.asked.space), None)
        if other is not None:
            raise IsthmusError(
                f"{self.folder}: its {other.modality} rows are in space {other.space!r}, not {self.asked.space!r}: a "
                "set has one space, write to another folder"
            )

    def _repair(self) -> None:
        """Drop tokens whose rows were not committed before the last run was killed."""
        if not self._has_tokens or not self.entry.unfinished:
            return
        ledger = self._token_ledger()
        extra = {shard.number for shard in ledger.entry.shards} - self._ledger.numbers
        if extra:
            ledger.commit(dropped=extra)
        ledger.finish()

    @property
    def entry(self) -> ModalityManifest:
        """The modality's entry in the manifest."""
        return self._ledger.entry

    @property
    def _has_tokens(self) -> bool:
        return (tokens_folder(self.folder, self.asked.modality) / MANIFEST).exists()

    @property
    def failures(self) -> list[Failure]:
        """The items of this modality that could not be read."""
        return self._failures

    @property
    def dim(self) -> int:
        """The dimension of the rows; 0 if there are none."""
        return self.entry.dim if self.entry.rows else 0

    def known(self) -> dict[str, KnownRow]:
        """The rows by id."""
        return known_rows(self.folder, self.entry)

    def claim(self, shards: int) -> list[int]:
        """Numbers of new shards, smallest first."""
        return self._ledger.claim(shards, gaps=True)

    def finish(self) -> None:
        """Say in the manifest that all rows are there."""
        self._ledger.finish()

    def close(self) -> None:
        """Let others write."""
        if self._tokens is not None:
            self._tokens.close()
        self._ledger.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            if self._as_it_was:
                # A job that failed before it changed a row leaves a finished set finished.
                self._ledger.finish()
        finally:
            self.close()

    def commit(self, written: ShardFiles) -> None:
        """Add a shard to the set: failures first, then tokens, then the manifest, which decides."""
        if written.dim and self.dim and written.dim != self.dim:
            raise IsthmusError(
                f"{self.folder}: its {self.asked.modality} rows have {self.dim} dimensions, the new ones "
                f"{written.dim}: write to another folder"
            )
        self._as_it_was = False
        if written.failures:
            self._failures += written.failures
            self._write_failures()
        if written.tokens is not None and written.token_facts is not None:
            self._token_ledger(written.token_facts).commit(written.tokens)
        self._ledger.commit(written.shard, dim=written.dim or self.entry.dim)

    def forget_failures(self, ids: Collection[str]) -> None:
        """Forget the failures of items that will be tried again, and of local files that are gone."""
        kept = [
            failure for failure in self._failures if failure.id not in ids and not is_gone(failure.uri, failure.stamp)
        ]
        if len(kept) < len(self._failures):
            self._failures = kept
            self._write_failures()

    def edit(self, dropped: Collection[str], renamed: Mapping[str, Item]) -> None:
        """Drop rows and give others the id of a new item. The shards they are in are rewritten, all or none."""
        if not dropped and not renamed:
            return
        touched = sorted({row.shard for row in self.known().values() if row.id in dropped or row.id in renamed})
        if not touched:
            return
        self._as_it_was = False
        tokens = self._stored_tokens()
        place_of = {} if tokens is None else {name: place for place, name in enumerate(tokens.ids)}
        new_of = dict(zip(touched, self.claim(len(touched)), strict=True))
        shards, entries = [], []
        for old, new in new_of.items():
            shard, kept_ids, ids = self._rewritten(old, new, dropped, renamed)
            shards.append(shard)
            if tokens is not None and ids:
                own = tokens.take(np.array([place_of[name] for name in kept_ids])).named(ids)
                folder = tokens_folder(self.folder, self.asked.modality)
                entries.append(write_token_shard(folder, new, own, self.asked.dtype))
        if entries:
            self._token_ledger().commit(*entries)
        self._failures = [replace(one, shard=new_of.get(one.shard, one.shard)) for one in self._failures]
        self._write_failures()
        self._ledger.commit(*shards, dropped=touched)
        self._repair()

    def _stored_tokens(self) -> Tokens | None:
        return open_tokens(self.folder, self.asked.modality, unfinished=True) if self._has_tokens else None

    def _write_failures(self) -> None:
        write_failures(self.folder, self.asked.modality, self._failures)

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

    def _token_ledger(self, facts: Mapping[str, Any] | None = None) -> TokenLedger:
        """The ledger of the tokens; ``facts`` are the dimension and unit of the first ones."""
        if self._tokens is None:
            folder = tokens_folder(self.folder, self.asked.modality)
            facts = facts or vars(read_token_manifest(folder))
            made = (self.asked.modality, self.asked.space, int(facts["dim"]), str(facts["unit"]), self.asked.dtype)
            self._tokens = TokenLedger(folder, TokenManifest(*made, (), self.entry.numbered), "")
        return self._tokens
