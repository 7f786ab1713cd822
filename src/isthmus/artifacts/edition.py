"""Editions: the files of an artifact, and the small JSON file that names them, its *record*, replaced as one.

The record decides. A new edition is written beside the old one, under names that no file has; then its record takes
the place of the old one; then the old files go, and the new ones get the usual names. Whenever a process is killed or
a disk is full, the record names files that are whole; the journal lists what to delete then.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from isthmus.base.atomic import atomic_path, make_folder, remove_stale_parts, sync, write_text_atomically
from isthmus.base.errors import IsthmusError, reading
from isthmus.base.hashing import sha256_of
from isthmus.base.json_files import finite, parse_json, read_json
from isthmus.base.locks import try_lock

CARD = "README.md"
HASH = "own_sha256"
"""The field of a record with the hash of its other fields."""
KINDS = {"config.json": "a model", "graph.json": "a graph of spaces", "manifest.json": "an embedding set"}
"""Records of which a folder has only one, because each of these has a ``README.md`` or files of the same names."""
CARD_MARK = "library_name: isthmus"
PATIENCE = 60.0
"""Seconds to wait for another process that saves to the same folder."""
Content = TypeVar("Content")


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
    with _locked(folder):
        require_own(folder, record, content["format"])
        finish_interrupted(folder, record)
        try:
            _replace(folder, record, _facts(content, files, card), files, card)
        except BaseException:
            finish_interrupted(folder, record)
            raise
    return folder


def record_text(content: Mapping[str, Any], files: Mapping[str, bytes], card: str | None) -> str:
    """The record of an artifact in a folder of its own, as `save_edition` writes it."""
    return _with_hash(_facts(content, files, card))


def _facts(content: Mapping[str, Any], files: Mapping[str, bytes], card: str | None) -> dict[str, Any]:
    """What a record says of these files."""
    facts = {**content, "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
    if card is not None:
        facts["card"] = hashlib.sha256(card.encode()).hexdigest()
    found: dict[str, Any] = json.loads(json.dumps(finite(facts), allow_nan=False))
    return found


def _replace(folder: Path, record: str, facts: dict[str, Any], files: Mapping[str, bytes], card: str | None) -> None:
    old, beside = _named(folder, record), {**facts, "edition": secrets.token_hex(6)}
    _write_journal(folder, record, [old, _names(facts), _names(beside)])
    first = beside if any(_is_taken(folder, name) for name in files) else facts
    for name, data in files.items():
        with atomic_path(folder / stored(name, first)) as part:
            part.write_bytes(data)
    _write_record(folder / record, first)
    if card is not None:
        _write_card(folder / CARD, card, {old.get(CARD), facts["card"]})
    finish_interrupted(folder, record, keep_journal=True)
    if first is beside and _linked(folder, beside):
        _write_record(folder / record, facts)
    finish_interrupted(folder, record)


def finish_interrupted(folder: Path, record: str, *, keep_journal: bool = False) -> None:
    """Delete the files of the journal, except those that the record names; and the journal, if all of them are gone."""
    journal = folder / _journal(record)
    with suppress(OSError, ValueError, AttributeError, TypeError):
        listed = parse_json(journal.read_text(encoding="utf-8"))
        named = _named(folder, record)
        for name, hashes in listed.items():
            _remove(folder, name, set(hashes) - {named.get(name)})
        if not keep_journal:
            journal.unlink()


def require_own(folder: Path, record: str, form: str) -> None:
    """Raise `IsthmusError` if an artifact of this format cannot be saved to the folder, which has something else."""
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
                f"{path}: is damaged or of something else (its format is not {form!r}): save to another folder, or "
                "remove it"
            )


def read_record(folder: Path, record: str, form: str, kind: str) -> dict[str, Any]:
    """What the record says. Raises `IsthmusError` if it is missing, altered, or of another kind of artifact."""
    path = folder / record
    if not path.is_file():
        raise IsthmusError(f"{path}: not found: give the folder of a saved {kind}")
    content = read_json(path, f"copy or save the {kind} again", finite=False)
    if not isinstance(content, dict) or content.get("format") != form:
        raise IsthmusError(f"{path}: not an isthmus {kind} (its format is not {form!r})")
    recorded = content.pop(HASH, None)
    # Records of version 0.1 have neither field.
    if (recorded is not None or "files" in content) and recorded != _hash_of(content):
        raise IsthmusError(f"{path}: altered (its hash differs from the one in it): copy or save the {kind} again")
    return content


def read_stored(folder: Path, content: Mapping[str, Any], name: str, kind: str, legacy: str | None = None) -> bytes:
    """A file of an artifact. Raises `IsthmusError` if it is missing, or its hash is not the record's, or ``legacy``."""
    path = folder / stored(name, content)
    with reading(path, f"the folder is incomplete, copy or save the {kind} again"):
        data = path.read_bytes()
    expected = content["files"].get(name, "") if "files" in content else legacy
    if expected is not None and hashlib.sha256(data).hexdigest() != expected:
        raise _altered(path, kind)
    return data


def _require_hash(path: Path, sha256: str, kind: str) -> None:
    with reading(path, f"the folder is incomplete, copy or save the {kind} again"):
        if sha256_of(path) != sha256:
            raise _altered(path, kind)


def _altered(path: Path, kind: str) -> IsthmusError:
    return IsthmusError(
        f"{path}: cut short or altered (its sha256 differs from the recorded one): copy or save the {kind} again"
    )


def stored(name: str, content: Mapping[str, Any]) -> str:
    """Where a file is: under its usual name, or with the edition in the name of the file or of its folder."""
    edition = content.get("edition")
    if edition is None:
        return name
    if not isinstance(edition, str) or not re.fullmatch("[0-9a-f]{12}", edition):
        raise IsthmusError(f"edition {str(edition)[:40]!r} in the record is not of isthmus: copy or save it again")
    first, *inner = PurePosixPath(name).parts
    stem, dot, suffix = (first, "", "") if inner else first.rpartition(".")
    return "/".join((f"{stem}-{edition}{dot}{suffix}", *inner))


def consistently(path: Path, read: Callable[[], Content]) -> Content:
    """What ``read`` makes of the record at ``path`` and its files; again, if another process has replaced them."""
    while True:
        before = _version_of(path)
        try:
            found = read()
        except IsthmusError:
            if _version_of(path) == before:
                raise
            continue
        if _version_of(path) == before:
            return found


def verified(folder: Path, content: Mapping[str, Any], kind: str) -> str:
    """Compare every file with its hash; the result in one line. Raises `IsthmusError` naming a file that differs."""
    if "files" not in content:
        return "no hashes of all files: saved by an earlier version; save it again to add them"
    changed = []
    for name, sha256 in _names(content).items():
        if PurePosixPath(name).name != CARD:
            _require_hash(folder / name, sha256, kind)
        elif not (folder / name).is_file() or sha256_of(folder / name) != sha256:
            changed.append(name)
    return "all hashes match" + (f", except that of {', '.join(changed)}, which decides nothing" if changed else "")


def _version_of(path: Path) -> tuple[int, ...] | None:
    """What differs whenever a file has been replaced, also by one of the same content."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _write_record(path: Path, content: Mapping[str, Any]) -> None:
    write_text_atomically(path, _with_hash(content))


def _with_hash(content: Mapping[str, Any]) -> str:
    return json.dumps({**content, HASH: _hash_of(content)}, indent=2, allow_nan=False) + "\n"


def _hash_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of JSON with sorted names, without spaces, in ASCII."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _journal(record: str) -> str:
    return f".{record}.isthmus-saving"


def _write_journal(folder: Path, record: str, editions: list[dict[str, str]]) -> None:
    """List the hashes of every file that is about to come or to go, before the first of them does."""
    listed: dict[str, list[str]] = {}
    for named in editions:
        for name, sha256 in named.items():
            listed.setdefault(name, []).append(sha256)
    write_text_atomically(folder / _journal(record), json.dumps(listed) + "\n")


def _names(content: Mapping[str, Any]) -> dict[str, str]:
    """The hash of every file that a record names, by where it is."""
    found = {stored(str(name), content): str(sha256) for name, sha256 in content.get("files", {}).items()}
    return found | ({CARD: str(content["card"])} if "card" in content else {})


def _named(folder: Path, record: str) -> dict[str, str]:
    """The hash of every file that the record in the folder names. Version 0.1 named weights and legs."""
    path = folder / record
    if not path.is_file():
        return {}
    content = read_json(path, "", finite=False)
    if "files" in content:
        return _names(content)
    return _named_by_0_1(folder, content)


def _named_by_0_1(folder: Path, content: Mapping[str, Any]) -> dict[str, str]:
    if "sha256" in content:
        found = {"model.safetensors": str(content["sha256"])}
    elif "legs" in content:
        legs = [str(entry["folder"]) for entry in content["legs"]]
        found = _present(
            folder, [f"{leg}/{name}" for leg in legs for name in ("config.json", "model.safetensors", CARD)]
        )
    else:
        found = _present(folder, ["codes.npy", "offsets.npy", "places.npy", "codes.parquet"])
        return found
    if (folder / CARD).is_file() and CARD_MARK in (folder / CARD).read_text(encoding="utf-8", errors="replace"):
        found[CARD] = sha256_of(folder / CARD)
    return found


def _present(folder: Path, names: list[str]) -> dict[str, str]:
    return {name: sha256_of(folder / name) for name in names if _is_inside(folder, name) and (folder / name).is_file()}


def _is_inside(folder: Path, name: str) -> bool:
    """Whether the name is of a file in the folder, or in a folder of that: no way up, no link out."""
    parts = PurePosixPath(name).parts
    plain = 1 <= len(parts) <= 2 and not any(part in ("..", "/") or "\\" in part for part in parts)
    return plain and not (len(parts) == 2 and (folder / parts[0]).is_symlink())


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
    if not hashes or not _is_inside(folder, name):
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
    except OSError:  # those that were made are in the journal
        return False
    return True


def _write_card(path: Path, card: str, own: set[str | None]) -> None:
    if os.path.lexists(path) and (not path.is_file() or sha256_of(path) not in own):
        warnings.warn(
            f"{path}: was not written by isthmus, or was changed since: it stays, and the model card is not written",
            stacklevel=6,
        )
        return
    write_text_atomically(path, card)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time saves to a folder: others wait for it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # some systems cannot open folders
        yield
        return
    try:
        last = time.monotonic() + PATIENCE
        while try_lock(handle) is False:
            if time.monotonic() > last:
                raise IsthmusError(f"{folder}: another process is saving to it: wait for it, or save to another folder")
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)
