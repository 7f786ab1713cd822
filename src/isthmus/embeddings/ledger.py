"""The ledger of a modality that is being written: its shards, our other files, and who may write."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any, Generic

from isthmus.base.atomic import remove_stale_parts
from isthmus.base.errors import IsthmusError
from isthmus.base.locks import FileLock
from isthmus.embeddings.layout import (
    is_shard_like,
    lock_file,
    metadata_file,
    token_files,
    tokens_folder,
    vectors_file,
)
from isthmus.embeddings.manifest import (
    MANIFEST,
    Manifest,
    ModalityManifest,
    TokenManifest,
    agreed,
    commit,
    read_manifest,
    read_token_manifest,
    write_token_manifest,
)

OLD_PART = re.compile(r"\.(?P<name>.+)\.\d+\.part")
"""A temporary file of version 0.1."""


class Ledger(Generic[Manifest]):
    """The shards of one modality, while one process writes them.

    No file that exists is ever overwritten, and only files that are provably ours are deleted: a writer first *claims*
    a number that no file has. From then on the manifest lists it as loose, until the shard is committed. What a killed
    writer leaves is loose, and the next one deletes it.

    Args:
        folder: The folder whose manifest has the entry.
        asked: The entry to write, without shards. ``dim`` is 0 if only the first rows will tell it.
        job: What to run again if it is stopped, for messages. "" if the entry is complete after every commit.
        restart: Drop the shards of an unfinished job of this name instead of going on after them.
        beside: Allow shards of others in the same folders; they stay there, outside the set.

    Raises:
        IsthmusError: Another process is writing the modality, or it was made with other settings or by another
            unfinished job.
    """

    _what: str

    def __init__(self, folder: Path, asked: Manifest, job: str, *, restart: bool = False, beside: bool = False) -> None:
        self.folder, self.job, self._beside = folder, job, beside
        self.entry: Manifest
        self.listed: bool
        present = self._read(asked.modality)
        agreed(folder, present, asked)
        self._lock = FileLock(
            self._lock_path(asked.modality),
            busy=f"{folder}: another writer, in this process or another, is writing its {asked.modality} "
            f"{self._what}: wait until it has finished, or stop it",
        )
        try:
            self._open(asked, restart)
        except BaseException:
            self.close()
            raise

    def _open(self, asked: Manifest, restart: bool) -> None:
        present = self._read(asked.modality)
        self.listed = present is not None
        if present is not None and present.unfinished not in ("", self.job):
            raise IsthmusError(
                f"{self.folder}: its {asked.modality} {self._what} are unfinished: run {present.unfinished} again "
                "first, or write to another folder"
            )
        self.entry = agreed(self.folder, present, asked)
        if restart and self.entry.unfinished and self.entry.shards:
            numbers: list[int] = [shard.number for shard in self.entry.shards]
            self._save(replace(self.entry, shards=(), loose=(*self.entry.loose, *numbers)))
        self._sweep()

    @property
    def held(self) -> bool:
        """Whether this process may write."""
        return self._lock.held

    @property
    def numbers(self) -> set[int]:
        """The numbers of the shards."""
        return {shard.number for shard in self.entry.shards}

    def claim(self, shards: int = 1, *, gaps: bool = False) -> list[int]:
        """Numbers for new shards, from now on listed as loose: after all others, or from the first gap.

        Raises `IsthmusError` if the modality is not in the manifest, but has shards on disk.
        """
        if not self.listed and not self._beside:
            self._refuse_strangers()
        taken = self.numbers | set(self.entry.loose)
        free = (
            number
            for number in count(0 if gaps else max(taken, default=-1) + 1)
            if number not in taken and not any(map(_is_there, self.files_of(number)))
        )
        found: list[int] = list(islice(free, shards))
        self._save(replace(self.entry, unfinished=self.job, loose=(*self.entry.loose, *found)))
        return found

    def commit(self, *shards: Any, dropped: Collection[int] = (), **facts: Any) -> None:
        """Add shards and drop others, in one step; ``facts`` are other fields of the entry."""
        added = {shard.number for shard in shards}
        kept: list[Any] = [
            shard for shard in self.entry.shards if shard.number not in dropped and shard.number not in added
        ]
        ordered = sorted([*kept, *shards], key=lambda shard: shard.number)
        loose: list[int] = [number for number in self.entry.loose if number not in added]
        self._save(replace(self.entry, shards=tuple(ordered), loose=(*loose, *dropped), **facts))

    def finish(self) -> None:
        """Delete loose files, and say in the manifest that the modality is complete."""
        if self.listed and (self.entry.unfinished or self.entry.loose):
            self._sweep()
            self._save(replace(self.entry, unfinished="", loose=()))

    def close(self) -> None:
        """Let others write."""
        self._lock.release()

    def files_of(self, number: int) -> Sequence[Path]:
        """The files that a shard of this number can have."""
        raise NotImplementedError

    def _lock_path(self, modality: str) -> Path:
        raise NotImplementedError

    def _read(self, modality: str) -> Manifest | None:
        raise NotImplementedError

    def _write(self, entry: Manifest) -> None:
        raise NotImplementedError

    def _save(self, entry: Manifest) -> None:
        if not self._lock.held:
            raise IsthmusError(
                f"{self.folder}: the writer of its {entry.modality} {self._what} is closed, or was opened in another "
                "process: open another one"
            )
        self._write(entry)
        self.entry, self.listed = entry, True

    def _sweep(self) -> None:
        """Delete the files of loose numbers, and what killed writers left."""
        for number in set(self.entry.loose) - self.numbers:
            for file in self.files_of(number):
                file.unlink(missing_ok=True)
        self.entry = replace(self.entry, loose=())
        example: Sequence[Path] = self.files_of(0)
        for folder in {self.folder, *(file.parent for file in example)}:
            remove_stale_parts(folder)
        for file in example if self.listed else ():
            for part in file.parent.glob(".*.part"):
                old = OLD_PART.fullmatch(part.name)
                if old and is_shard_like(part.with_name(old["name"]), file) and part.is_file():
                    part.unlink()

    def _refuse_strangers(self) -> None:
        for file in self.files_of(0):
            stranger = next((other for other in file.parent.glob("*") if is_shard_like(other, file)), None)
            if stranger is not None:
                raise IsthmusError(
                    f"{stranger}: exists, but no manifest by isthmus has it: write to another folder (isthmus convert "
                    "reads sets made elsewhere)"
                )


class RowLedger(Ledger[ModalityManifest]):
    """The ledger of the rows of a modality.

    With ``with_tokens``, shards of tokens have the same numbers as those of rows. ``check`` gets the whole manifest
    before each time that the entry is written.
    """

    _what = "rows"

    def __init__(
        self,
        folder: Path,
        asked: ModalityManifest,
        job: str,
        *,
        restart: bool = False,
        beside: bool = False,
        with_tokens: bool = False,
        check: Callable[[Mapping[str, ModalityManifest]], None] = lambda present: None,
    ) -> None:
        self._modality, self._with_tokens, self._check = asked.modality, with_tokens, check
        super().__init__(folder, asked, job, restart=restart, beside=beside)

    def files_of(self, number: int) -> Sequence[Path]:
        """Vectors and metadata, and tokens if they are numbered alike."""
        own = [vectors_file(self.folder, self._modality, number), metadata_file(self.folder, self._modality, number)]
        if self._with_tokens:
            own += token_files(tokens_folder(self.folder, self._modality), number).values()
        return own

    def _lock_path(self, modality: str) -> Path:
        return lock_file(self.folder, modality)

    def _read(self, modality: str) -> ModalityManifest | None:
        return read_manifest(self.folder).get(modality)

    def _write(self, entry: ModalityManifest) -> None:
        commit(self.folder, entry, self._check)


class TokenLedger(Ledger[TokenManifest]):
    """The ledger of the tokens of a modality; ``folder`` is that of these tokens."""

    _what = "tokens"

    def files_of(self, number: int) -> Sequence[Path]:
        """Vectors, offsets, places and ids."""
        return list(token_files(self.folder, number).values())

    def _lock_path(self, modality: str) -> Path:
        return lock_file(self.folder.parent, f"{modality}-tokens")

    def _read(self, modality: str) -> TokenManifest | None:
        return read_token_manifest(self.folder) if (self.folder / MANIFEST).exists() else None

    def _write(self, entry: TokenManifest) -> None:
        write_token_manifest(self.folder, entry)


def _is_there(file: Path) -> bool:
    return file.is_symlink() or file.exists()
