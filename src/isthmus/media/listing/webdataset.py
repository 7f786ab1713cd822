"""WebDataset shards: uncompressed tars. Members that share their name up to the first dot are one sample."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, named_item, text_item
from isthmus.media.source import TarMember


def list_tars(archives: Sequence[Path], suffixes: tuple[str, ...], *, texts: bool) -> Iterator[Item]:
    """The first member of each sample that has one of the suffixes; ids are the shard's name and the sample's key.

    Raises `IsthmusError` if an archive is compressed or cut short.
    """
    for archive in archives:
        facts = archive.stat()
        seen: set[str] = set()
        for member in tar_members(archive):
            folder, slash, last = member.name.rpartition("/")
            stem, _, extension = last.partition(".")
            key = f"{folder}{slash}{stem}"
            if not member.isfile() or f".{extension.rpartition('.')[2].lower()}" not in suffixes or key in seen:
                continue
            seen.add(key)
            source = TarMember(archive, member.name, member.offset_data, member.size)
            name = f"{archive.stem}/{key}"
            if not texts:
                yield named_item(name, source, f"{facts.st_size}:{facts.st_mtime_ns}:{member.offset_data}")
                continue
            content = source.open().read().decode("utf-8", "replace").strip()
            if content:
                yield text_item(name, content)


def tar_members(archive: Path) -> Iterator[tarfile.TarInfo]:
    """Every member of an uncompressed tar."""
    try:
        with tarfile.open(archive, "r:") as opened:
            yield from opened
    except tarfile.TarError as error:
        raise IsthmusError(
            f"{archive}: not an uncompressed tar, or cut short ({error}): unpack it, or copy it again"
        ) from error
