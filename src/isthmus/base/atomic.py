"""Atomic files: written under a temporary name and then renamed, so that readers never see half a file."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.base.locks import NO_LINKS, try_lock

MARK = ".isthmus-part"
"""The end of the names of temporary folders. Nothing else has it, so what has it may be deleted."""
PART = re.compile(rf"\..*\.[0-9a-f]{{16}}{re.escape(MARK)}")
LOCK = "lock"
LONGEST_NAME = 50


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path to write to, renamed to ``path`` if the block ends without an error.

    Readers see the whole old file or the whole new one, even after a power failure. The path is in a new folder of
    its own, so nobody can put a link or a file there. The mark in that folder's name tells what killed writers left:
    the next write to the same place deletes it.

    Raises:
        IsthmusError: The file cannot be written, for example because the disk is full.
    """
    try:
        make_folder(path.parent)
        remove_stale_parts(path.parent, path.name)
        folder, lock = _new_part(path)
        try:
            part = folder / path.name
            yield part
            sync(part)
            part.replace(path)
            sync(path.parent)
        finally:
            _remove(folder)
            os.close(lock)
    except OSError as error:
        reason = error.strerror or reason_of(error)
        raise IsthmusError(f"{path}: cannot be written ({reason}): free some space, or write elsewhere") from error


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file in UTF-8."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def remove_stale_parts(folder: Path, name: str | None = None) -> None:
    """Delete the temporary folders in ``folder`` whose processes have ended.

    Version 0.1 had files ``.<name>.<process>.part``: those of the file ``name`` are deleted, too.
    """
    own_legacy = None if name is None else re.compile(rf"\.{re.escape(name)}\.(\d+)\.part")
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        return
    for found in names:
        if PART.fullmatch(found):
            _remove_if_stale(folder / found)
        elif own_legacy is not None and (legacy := own_legacy.fullmatch(found)) and not _lives(int(legacy[1])):
            with suppress(OSError):
                (folder / found).unlink()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they are still there after a power failure."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in new:
        sync(one.parent)


def require_writable(folder: Path) -> None:
    """Raise `IsthmusError` unless files can be written to a folder, which need not exist yet; nothing is left there."""
    try:
        place = next(one for one in (folder, *folder.parents) if one.exists() or one.is_symlink())
        with tempfile.TemporaryDirectory(dir=place):
            pass
    except OSError as error:
        raise IsthmusError(f"{folder}: cannot be written ({error.strerror}): save to another folder") from error


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    folder = path.is_dir()
    with suppress(OSError) if folder else nullcontext():  # some systems cannot open folders, or not sync them
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _new_part(path: Path) -> tuple[Path, int]:
    """A new folder that only this user can write to, and the lock in it that says that its process lives."""
    while True:
        folder = path.with_name(f".{path.name[:LONGEST_NAME]}.{secrets.token_hex(8)}{MARK}")
        folder.mkdir(mode=0o700)
        try:
            lock = os.open(folder / LOCK, os.O_CREAT | os.O_EXCL | os.O_RDWR | NO_LINKS, 0o600)
        except FileNotFoundError:  # another process took the folder for a stale one before it had its lock
            continue
        if try_lock(lock) is not False and os.fstat(lock).st_nlink:
            return folder, lock
        os.close(lock)


def _remove_if_stale(folder: Path) -> None:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | NO_LINKS)
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        return
    try:
        if try_lock(lock):
            _remove(folder)
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Delete a temporary folder, its lock last."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name != LOCK:
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else Path(entry.path).unlink()
        (folder / LOCK).unlink()
        folder.rmdir()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
