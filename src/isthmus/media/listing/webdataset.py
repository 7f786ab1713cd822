"""WebDataset shards: uncompressed tars. Members that share their name up to the first dot are one sample."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, member_stamp, named_item, stamp_of, text_item
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.left_out import NO_SUFFIX
from isthmus.media.listing.request import Request
from isthmus.media.source import TarMember

SHARED_KEY = "tar members with the key of another, its name up to the first dot (--column names an extension)"


def list_tar(archive: Path, request: Request, *, prefix: str, ids: Ids) -> Iterator[Item]:
    """One member of each sample; ids are ``prefix`` and the sample's key.

    The member has the extension that ``--column`` names. Without it, the first member is taken whose whole extension is
    of the kind, or else the first whose last suffix is.

    Raises `IsthmusError` if an archive is compressed or cut short, or a text is not UTF-8.
    """
    stamp = stamp_of(archive)
    for number, (key, members) in enumerate(_samples(archive).items()):
        chosen = _chosen(members, request)
        if chosen is None:
            continue
        ids.is_new(f"{prefix}/{key}", archive, number)
        source = TarMember(archive, chosen.name, chosen.offset_data, chosen.size)
        if not request.texts:
            yield named_item(f"{prefix}/{key}", source, member_stamp(stamp, chosen.offset_data))
            continue
        try:
            content = source.open().read().decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise IsthmusError(f"{source.name}: not UTF-8 text ({error.reason}): save it as UTF-8") from error
        if content:
            yield text_item(f"{prefix}/{key}", content, archive)
        else:
            request.left_out.empty += 1


def _samples(archive: Path) -> dict[str, list[tuple[str, tarfile.TarInfo]]]:
    """The members of each key with their extensions, in the order of the archive."""
    found: dict[str, list[tuple[str, tarfile.TarInfo]]] = {}
    for member in tar_members(archive):
        folder, slash, last = member.name.rpartition("/")
        stem, _, extension = last.partition(".")
        if member.isfile():
            found.setdefault(f"{folder}{slash}{stem}", []).append((extension.lower(), member))
    return found


def _chosen(members: list[tuple[str, tarfile.TarInfo]], request: Request) -> tarfile.TarInfo | None:
    """The member of a sample to take; the others are counted."""
    suffixes = (".txt",) if request.texts else request.suffixes
    if request.column is not None:
        asked = request.column.lower().removeprefix(".")
        fitting = [member for extension, member in members if extension == asked]
    else:
        whole = [member for extension, member in members if f".{extension}" in suffixes]
        last = [member for extension, member in members if f".{extension.rpartition('.')[2]}" in suffixes]
        fitting = whole or last
    for extension, member in members:
        if member not in fitting:
            request.left_out.kinds[f".{extension}" if extension else NO_SUFFIX] += 1
    if len(fitting) > 1:
        request.left_out.others[SHARED_KEY] += len(fitting) - 1
    return fitting[0] if fitting else None


def is_tar(path: Path) -> bool:
    """Whether a file is a tar by its suffix."""
    return path.suffix.lower() == ".tar"


def tar_members(archive: Path) -> Iterator[tarfile.TarInfo]:
    """Every member of an uncompressed tar."""
    try:
        with tarfile.open(archive, "r:") as opened:
            yield from opened
    except (tarfile.TarError, OSError) as error:
        raise IsthmusError(
            f"{archive}: not an uncompressed tar, or cut short ({error}): unpack it, or copy it again"
        ) from error
