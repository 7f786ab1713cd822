"""The plan: what a listing asks for, less what the set holds already; and what in the set is no longer there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isthmus.errors import IsthmusError
from isthmus.extract.records import Known, uri_of
from isthmus.extract.store import Store, failure_ids
from isthmus.media import Item
from isthmus.media.source import sha256_of_source


@dataclass(frozen=True)
class Plan:
    """What is to be done: items to embed, ids whose rows are of another content now, ids whose item is gone.

    ``same`` items need nothing, ``failed`` ones failed before and have not changed.
    """

    todo: tuple[Item, ...]
    changed: frozenset[str]
    gone: frozenset[str]
    same: int
    failed: int

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
    gone = known.keys() - by_id.keys()
    same = len(items) - len(todo) - len(failed)
    return Plan(tuple(todo), frozenset(changed), frozenset(gone), same, len(failed))


def _differs(item: Item, known: Known, store: Store) -> bool:
    """Whether an item is not what its row was made of."""
    if item.stamp == known.stamp:
        return False
    content = item.stamp if item.source is None else _hash(item)
    if content == known.content:
        return False
    if known.uri and known.uri != uri_of(item):
        raise IsthmusError(
            f"{store.folder}: holds {item.id!r} of {known.uri}; {item.name} has the same id and another content: "
            "embed it into another folder"
        )
    return True


def _hash(item: Item) -> str:
    assert item.source is not None
    try:
        return sha256_of_source(item.source)
    except OSError:
        return ""
