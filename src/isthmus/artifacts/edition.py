"""Editions: the files of an artifact and the record that names them, replaced as one.

The record decides. A new edition is written beside the old one, under names that no file has; then its record takes
the place of the old one; then the old files go, and the new ones get the usual names. Whenever a process is killed or
a disk is full, the record names files that are whole; the journal lists what to delete then.
"""

from __future__ import annotations

import json
import os
import secrets
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from isthmus.artifacts.record import CARD, is_inside, named_by, named_files, record_facts, sealed, stored
from isthmus.base.atomic import (
    atomic_path,
    make_folder,
    remove_stale_parts,
    require_writable,
    sync,
    write_text_atomically,
)
from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import sha256_of
from isthmus.base.json_files import parse_json, read_json
from isthmus.base.locks import PATIENCE, FileLock

KINDS = {"config.json": "a model", "graph.json": "a graph of spaces", "manifest.json": "an embedding set"}
"""Records of which a folder has only one, because each of these has a ``README.md`` or files of the same names."""


def save_edition(
    folder: Path, record: str, content: Mapping[str, Any], files: Mapping[str, bytes], card: str | None = None
) -> Path:
    """Write an artifact, or replace the one of the same format that the folder has; returns the folder.

    Args:
        folder: The folder; other files in it stay as they are.
        record: Name of the record.
        content: What the record says, with its ``format``; figures that are not finite become null.
        files: Contents of the other files by name, which may be one folder deep.
        card: The model card, if the artifact has one.

    Raises:
        IsthmusError: The folder has something else, or a file cannot be written.
    """
    try:
        make_folder(folder)
    except OSError as error:
        raise IsthmusError(f"{folder}: cannot be written ({error.strerror}): save to another folder") from error
    busy = f"{folder}: another process is saving to it: wait for it, or save to another folder"
    with FileLock(folder, busy=busy, patience=PATIENCE):
        require_own(folder, record, content["format"])
        finish_interrupted(folder, record)
        try:
            _replace(folder, record, record_facts(content, files, card), files, card)
        except BaseException:
            finish_interrupted(folder, record)
            raise
    return folder


def _replace(folder: Path, record: str, facts: dict[str, Any], files: Mapping[str, bytes], card: str | None) -> None:
    old, beside = named_files(folder, record), {**facts, "edition": secrets.token_hex(6)}
    _write_journal(folder, record, [old, named_by(facts), named_by(beside)])
    first = beside if any(_is_taken(folder, name) for name in files) else facts
    for name, data in files.items():
        with atomic_path(folder / stored(name, first)) as part:
            part.write_bytes(data)
    write_text_atomically(folder / record, sealed(first))
    if card is not None:
        _write_card(folder / CARD, card, {old.get(CARD), facts["card"]})
    finish_interrupted(folder, record, keep_journal=True)
    if first is beside and _linked(folder, beside):
        write_text_atomically(folder / record, sealed(facts))
    finish_interrupted(folder, record)


def finish_interrupted(folder: Path, record: str, *, keep_journal: bool = False) -> None:
    """Delete the files of the journal, except those that the record names; and the journal, if all of them are gone."""
    journal = folder / _journal(record)
    with suppress(OSError, ValueError, AttributeError, TypeError):
        listed = parse_json(journal.read_text(encoding="utf-8"))
        named = named_files(folder, record)
        for name, hashes in listed.items():
            _remove(folder, name, set(hashes) - {named.get(name)})
        if not keep_journal:
            journal.unlink()


def require_place(folder: Path, record: str, form: str) -> None:
    """Raise `IsthmusError` if `save_edition` would refuse a folder. For commands to call before hours of work."""
    require_writable(folder)
    require_own(folder, record, form)


def require_own(folder: Path, record: str, form: str) -> None:
    """Raise `IsthmusError` if an artifact of this format cannot be saved to a folder that has something else."""
    for other, what in KINDS.items():
        if other != record and record in KINDS and os.path.lexists(folder / other):
            raise IsthmusError(f"{folder}: contains {what} ({other}): save to another folder")
    path = folder / record
    if os.path.lexists(path):
        try:
            found = read_json(path, "", finite=False)
            own = isinstance(found, dict) and found.get("format") == form
        except IsthmusError:
            own = False
        if not own:
            raise IsthmusError(
                f"{path}: is damaged or belongs to something else (its format is not {form!r}): save to another "
                "folder, or remove it"
            )


def _journal(record: str) -> str:
    return f".{record}.isthmus-saving"


def _write_journal(folder: Path, record: str, editions: list[dict[str, str]]) -> None:
    """List the hashes of every file that is about to come or to go, before the first of them does."""
    listed: dict[str, list[str]] = {}
    for named in editions:
        for name, sha256 in named.items():
            listed.setdefault(name, []).append(sha256)
    write_text_atomically(folder / _journal(record), json.dumps(listed) + "\n")


def _is_taken(folder: Path, name: str) -> bool:
    """Whether the name cannot be used: a file has it, or its folder is a link or a file."""
    inside = folder / PurePosixPath(name).parts[0]
    return os.path.lexists(folder / name) or (
        inside != folder / name and os.path.lexists(inside) and not _is_folder(inside)
    )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(folder: Path, name: str, hashes: set[str]) -> None:
    """Delete a file that has one of the hashes, and its folder inside ``folder`` if that is then empty."""
    path = folder / name
    if not hashes or not is_inside(folder, name):
        return
    if path.is_file() and sha256_of(path) in hashes:
        path.unlink()
    if path.parent != folder:
        remove_stale_parts(path.parent)
        with suppress(OSError):
            path.parent.rmdir()


def _linked(folder: Path, beside: Mapping[str, Any]) -> bool:
    """Give the new files their usual names, too. False if one is taken or the file system has no links."""
    names: Mapping[str, str] = beside["files"]
    if any(_is_taken(folder, name) for name in names):
        return False
    try:
        for name in names:
            make_folder((folder / name).parent)
            os.link(folder / stored(name, beside), folder / name)
            sync((folder / name).parent)
    except OSError:  # the journal lists the links that were made
        return False
    return True


def _write_card(path: Path, card: str, own: set[str | None]) -> None:
    if os.path.lexists(path) and (not path.is_file() or sha256_of(path) not in own):
        warnings.warn(
            f"{path}: was not written by isthmus, or has been changed since: it stays, and no model card is written",
            stacklevel=6,
        )
        return
    write_text_atomically(path, card)
