"""Records: the small JSON file that names the files of an artifact with their hashes, and has one of its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from isthmus.base.errors import IsthmusError, reading
from isthmus.base.hashing import sha256_of
from isthmus.base.json_files import finite, json_text, read_json

CARD = "README.md"
CARD_MARK = "library_name: isthmus"
HASH = "own_sha256"
"""The field of a record with the hash of its other fields."""
Content = TypeVar("Content")


def record_text(content: Mapping[str, Any], files: Mapping[str, bytes], card: str | None) -> str:
    """The record of an artifact in a folder of its own, as `save_edition` writes it."""
    return sealed(record_facts(content, files, card))


def record_facts(content: Mapping[str, Any], files: Mapping[str, bytes], card: str | None) -> dict[str, Any]:
    """The content of a record, with the hashes of these files and of the card."""
    facts = {**content, "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
    if card is not None:
        facts["card"] = hashlib.sha256(card.encode()).hexdigest()
    found: dict[str, Any] = json.loads(json.dumps(finite(facts), allow_nan=False))
    return found


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
        raise IsthmusError(f"edition {str(edition)[:40]!r} of the record is not one of isthmus: copy or save it again")
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
    for name, sha256 in named_by(content).items():
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


def sealed(content: Mapping[str, Any]) -> str:
    """The text of a record: its content and the hash of that."""
    return json_text({**content, HASH: _hash_of(content)}, indent=2)


def _hash_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of JSON with sorted names, without spaces, in ASCII."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def named_by(content: Mapping[str, Any]) -> dict[str, str]:
    """The hash of every file that a record names, by where it is."""
    found = {stored(str(name), content): str(sha256) for name, sha256 in content.get("files", {}).items()}
    return found | ({CARD: str(content["card"])} if "card" in content else {})


def named_files(folder: Path, record: str) -> dict[str, str]:
    """The hash of every file that the record in the folder names. Version 0.1 named weights and legs."""
    path = folder / record
    if not path.is_file():
        return {}
    content = read_json(path, "", finite=False)
    if "files" in content:
        return named_by(content)
    return _named_by_0_1(folder, content)


def _named_by_0_1(folder: Path, content: Mapping[str, Any]) -> dict[str, str]:
    if "sha256" in content:
        found = {"model.safetensors": str(content["sha256"])}
    elif "legs" in content:
        legs = [str(entry["folder"]) for entry in content["legs"]]
        in_each = ("config.json", "model.safetensors", CARD)
        found = _present(folder, [f"{leg}/{name}" for leg in legs for name in in_each])
    else:
        return _present(folder, ["codes.npy", "offsets.npy", "places.npy", "codes.parquet"])
    if (folder / CARD).is_file() and CARD_MARK in (folder / CARD).read_text(encoding="utf-8", errors="replace"):
        found[CARD] = sha256_of(folder / CARD)
    return found


def _present(folder: Path, names: list[str]) -> dict[str, str]:
    return {name: sha256_of(folder / name) for name in names if is_inside(folder, name) and (folder / name).is_file()}


def is_inside(folder: Path, name: str) -> bool:
    """Whether a name stays inside the folder, at most one folder deep: without ``..`` and without links."""
    parts = PurePosixPath(name).parts
    plain = 1 <= len(parts) <= 2 and not any(part in ("..", "/") or "\\" in part for part in parts)
    return plain and not (len(parts) == 2 and (folder / parts[0]).is_symlink())
