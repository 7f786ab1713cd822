"""The plan: which listed items are new or changed, and which rows of the set have moved or lost their files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isthmus.base.errors import IsthmusError
from isthmus.bulk.records import Failure, KnownRow, is_absent, is_gone, uri_of
from isthmus.bulk.store import Store
from isthmus.media import Item, UnreadableError
from isthmus.media.item import as_unicode, is_same_stamp, text_item
from isthmus.media.remote import Remote
from isthmus.media.source import LocalFile, TarMember, sha256_of_source, unreadable


@dataclass(frozen=True)
class Plan:
    """What to do: items to embed, ids of rows whose content changed, and ids of rows whose local file is gone.

    ``moved`` maps ids of gone files to a new local file of the same content: their rows only need its id. ``same``
    counts the items that need nothing.
    """

    todo: tuple[Item, ...]
    changed: frozenset[str]
    gone: frozenset[str]
    moved: Mapping[str, Item]
    same: int

    def shards(self, items: int) -> Iterator[tuple[Item, ...]]:
        """The items to embed, ``items`` at a time."""
        for start in range(0, len(self.todo), items):
            yield self.todo[start : start + items]


def make_plan(
    items: Sequence[Item], store: Store, *, retry: bool, prune: bool = False, timeout: float = math.inf
) -> Plan:
    """Compare a listing with the set. A file whose stamp changed is hashed: it has changed only if its content has.

    Hashing a file takes at most ``timeout`` seconds. Items that failed because of their dimension are tried again once
    no row of the set has the other dimension.

    Raises `IsthmusError` if an id occurs twice, or belongs to another file in the set, or if a new text is in the set
    already with an id of another origin.
    """
    by_id = {item.id: item for item in items}
    if len(by_id) < len(items):
        twice = next(name for name, count in Counter(item.id for item in items).items() if count > 1)
        raise IsthmusError(f"the id {twice!r} occurs twice: ids must be unique, choose another column with --id-column")
    known = store.known()
    _check_origin_of_ids(items, known, store)
    changed = {item.id for item in items if item.id in known and _differs(item, known[item.id], store, timeout)}
    gone = {row.id for row in known.values() if row.id not in by_id and is_gone(row.uri, row.stamp)}
    dim = store.dim if known.keys() - changed - (gone if prune else set()) else 0
    failed = {
        one.id
        for one in ([] if retry else store.failures)
        if one.id in by_id and _failed_so(by_id[one.id], one) and one.dim in (0, dim)
    }
    todo = [item for item in items if item.id in changed or (item.id not in known and item.id not in failed)]
    store.forget_failures({item.id for item in todo})
    moved = _moved([known[name] for name in gone], todo, timeout)
    new = {item.id for item in moved.values()}
    return Plan(
        todo=tuple(item for item in todo if item.id not in new),
        changed=frozenset(changed),
        gone=frozenset(gone - moved.keys()),
        moved=moved,
        same=len(items) - len(todo) - len(failed),
    )


def _check_origin_of_ids(items: Sequence[Item], known: Mapping[str, KnownRow], store: Store) -> None:
    """Raise `IsthmusError` if a new text is in the set already, and only one of the two has its id from a column.

    A table listed once with --id-column and once without it would have each of its texts in the set twice.
    """
    new = [item for item in items if item.source is None and item.id not in known]
    stamps = {item.stamp for item in new}
    equal = {name: row for name, row in known.items() if row.stamp in stamps}
    others = {(row.stamp, row.stamp == text_item(name, name).stamp): row for name, row in equal.items()}
    for item in new:
        own = item.id == item.text
        other = others.get((item.stamp, not own))
        if other is not None:
            before = f"with the id {other.id[:60]!r} from a column" if own else "as its own id"
            now = "as its own id" if own else f"with the id {item.id[:60]!r} from a column"
            remedy = "give --id-column as before" if own else "omit --id-column as before"
            raise IsthmusError(
                f"{store.folder}: already has the text {item.text[:60]!r} {before}, and would have it again {now}: "
                f"{remedy}, or embed into another folder"
            )


def _moved(gone: Sequence[KnownRow], todo: Sequence[Item], timeout: float) -> dict[str, Item]:
    """The rows of gone files that have a new local file of the same content."""
    waiting = {known.content: known.id for known in gone if known.content}
    found: dict[str, Item] = {}
    for item in todo:
        if not waiting:
            break
        if isinstance(item.source, LocalFile | TarMember):
            old = waiting.pop(_content(item, timeout), None)
            if old is not None:
                found[old] = item
    return found


def _failed_so(item: Item, failure: Failure) -> bool:
    """Whether this very item, unchanged, could not be read before; an item of another folder may have the same id."""
    return is_same_stamp(item.stamp, failure.stamp) and failure.uri in ("", uri_of(item))


def _differs(item: Item, known: KnownRow, store: Store, timeout: float) -> bool:
    """Whether the content of an item differs from its row's; False if it cannot be read now.

    Only the same file with the same stamp need not be read: a file of another folder may have the same name, size and
    time, and another table the same ids. The texts of a table that was renamed count as changed.
    """
    here = known.uri in ("", uri_of(item), as_unicode(item.name)) or (item.source is None and is_absent(known.uri))
    if here and is_same_stamp(item.stamp, known.stamp):
        return False
    content = _content(item, timeout)
    if content == known.content:
        return False
    if not here:
        raise IsthmusError(
            f"{uri_of(item) or item.name}: the id {item.id!r} belongs to {known.uri} in {store.folder}: embed it into "
            "another folder"
        )
    return content != ""


def _content(item: Item, timeout: float) -> str:
    """The hash of an item's content; "" if it is remote or cannot be read in time."""
    if item.source is None:
        return item.stamp
    try:
        with unreadable(item.name):
            return "" if isinstance(item.source, Remote) else sha256_of_source(item.source, timeout)
    except UnreadableError:
        return ""
