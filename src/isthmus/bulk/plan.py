"""The plan: what a listing asks for, less what the set holds already; and what in the set is no longer there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isthmus.base.errors import IsthmusError
from isthmus.bulk.records import Known, is_gone, uri_of
from isthmus.bulk.store import Store, failure_ids
from isthmus.media import Item
from isthmus.media.source import Remote, sha256_of_source


@dataclass(frozen=True)
class Plan:
    """What is to be done: items to embed, ids whose rows are of another content now, ids whose item is gone.

    ``moved`` maps ids whose item is gone to a new item of the same content: their rows need a new name only.
    ``same`` items need nothing.
    """

    todo: tuple[Item, ...]
    changed: frozenset[str]
    gone: frozenset[str]
    moved: Mapping[str, Item]
    same: int

    def shards(self, items: int) -> Iterator[tuple[Item, ...]]:
        """What is to be embedded, so many items at a time."""
        for start in range(0, len(self.todo), items):
            yield self.todo[start : start + items]


def make_plan(items: Sequence[Item], store: Store, *, retry: bool) -> Plan:
    """Compare a listing with the set. Files whose stamp changed are read: only another content counts as a change.

    Raises `IsthmusError` where an id is there twice, or names a file of another place that the set holds.
    """
    by_id = {item.id: item for item in items}
    if len(by_id) < len(items):
        seen: set[str] = set()
        twice = next(item.id for item in items if item.id in seen or seen.add(item.id))  # type: ignore[func-returns-value]
        raise IsthmusError(
            f"the id {twice!r} is there twice: ids must be unique, name a column of them with --id-column"
        )
    known = store.known()
    failed = set() if retry else failure_ids(store.failures, by_id)
    changed = {item.id for item in items if item.id in known and _differs(item, known[item.id], store)}
    todo = [item for item in items if item.id in changed or (item.id not in known and item.id not in failed)]
    store.forget_failures({item.id for item in todo})
    gone = {row.id for row in known.values() if row.id not in by_id and is_gone(row.uri)}
    moved = _moved([known[name] for name in gone], todo)
    new = {item.id for item in moved.values()}
    return Plan(
        todo=tuple(item for item in todo if item.id not in new),
        changed=frozenset(changed),
        gone=frozenset(gone - moved.keys()),
        moved=moved,
        same=len(items) - len(todo) - len(failed),
    )


def _moved(gone: Sequence[Known], todo: Sequence[Item]) -> dict[str, Item]:
    """Rows whose item is gone, and a new item of the same content for each."""
    waiting = {known.content: known.id for known in gone if known.content}
    found: dict[str, Item] = {}
    for item in todo if waiting else ():
        old = waiting.pop(_content(item), None)
        if old is not None:
            found[old] = item
    return found


def _differs(item: Item, known: Known, store: Store) -> bool:
    """Whether an item is not what its row was made of; one that cannot be read now may be."""
    if item.stamp == known.stamp:
        return False
    content = _content(item)
    if content in ("", known.content):
        return False
    if known.uri and known.uri != uri_of(item):
        raise IsthmusError(
            f"{store.folder}: holds {item.id!r} of {known.uri}; {item.name} has the same id and another content: "
            "embed it into another folder"
        )
    return True


def _content(item: Item) -> str:
    """The hash of an item's content; nothing where it cannot be read."""
    if item.source is None:
        return item.stamp
    try:
        return "" if isinstance(item.source, Remote) else sha256_of_source(item.source)
    except OSError:
        return ""
