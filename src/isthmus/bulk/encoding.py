"""Encoding: the items of one shard to unit rows, in batches of one shape; the same shard gives the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from isthmus.bulk.decoding import DecodedItem
from isthmus.bulk.job import Job
from isthmus.bulk.progress import OnItem
from isthmus.media import Item
from isthmus.spaces import EncoderInputs, Preparation, Space
from isthmus.spaces.batching import collate, mean_of_views
from isthmus.spaces.preparing.token_parts import Part

BUFFERED_BATCHES = 4
"""Batches' worth of views that wait for others of their shape, before the largest group is encoded as it is."""


@dataclass
class Encoded:
    """What became of a shard's items: those encoded with their rows, and those that could not be read.

    ``tokens`` are there where the job asks for them, their places in ``unit``.
    """

    items: list[Item] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    tokens: list[Part] = field(default_factory=list)
    unit: str = ""
    problems: list[tuple[Item, str]] = field(default_factory=list)

    def in_order(self, asked: Sequence[Item]) -> Encoded:
        """The same, in the order the items were asked for."""
        place = {item.id: number for number, item in enumerate(asked)}
        order = sorted(range(len(self.items)), key=lambda row: place[self.items[row].id])
        return Encoded(
            [self.items[row] for row in order],
            [self.contents[row] for row in order],
            [self.rows[row] for row in order],
            [self.tokens[row] for row in order] if self.tokens else [],
            self.unit,
            sorted(self.problems, key=lambda entry: place[entry[0].id]),
        )


def encode_shard(
    space: Space, job: Job, items: Sequence[Item], prepared: Iterator[DecodedItem], on_item: OnItem
) -> Encoded:
    """Rows of every item that can be read, and the reason for every one that cannot."""
    preparation = space.preparation(job.modality)
    found = Encoded()

    def readable() -> Iterator[DecodedItem]:
        for one in prepared:
            if one.views is None:
                found.problems.append((one.item, one.problem))
                on_item(False)
            else:
                yield one

    for batch in batches(readable(), preparation, job.batch):
        _encode(space, job, preparation, batch, found)
        for _ in batch:
            on_item(True)
    return found.in_order(items)


def _encode(space: Space, job: Job, preparation: Preparation, batch: list[DecodedItem], found: Encoded) -> None:
    views = [one.views for one in batch if one.views is not None]
    counts = [views_in(own) for own in views]
    whole = collate(views, preparation.padding)
    rows = mean_of_views(space.encode(job.modality, whole), counts)
    usable = np.isfinite(rows).all(1) & rows.any(1)
    if not usable.all() and len(batch) > 1:
        for one in batch:
            _encode(space, job, preparation, [one], found)
        return
    dim = len(found.rows[0]) if found.rows else rows.shape[1]
    if not usable.all() or rows.shape[1] != dim:
        why = "gave NaN or zero for it" if rows.shape[1] == dim else f"gave {rows.shape[1]} dimensions, not {dim}"
        found.problems += [(one.item, f"{one.item.name}: the encoder {why}") for one in batch]
        return
    found.items += [one.item for one in batch]
    found.contents += [one.content for one in batch]
    found.rows += list(rows)
    if job.config.tokens:
        _add_tokens(space, job, whole, counts, [one.item.id for one in batch], found)


def _add_tokens(
    space: Space, job: Job, views: EncoderInputs, counts: Sequence[int], ids: list[str], found: Encoded
) -> None:
    """Each item's tokens; those of a sound's windows one after another."""
    numbered = [f"{name}#{view}" for name, count in zip(ids, counts, strict=True) for view in range(count)]
    every = space.encode_tokens(job.modality, views, numbered)
    borders = every.offsets[np.concatenate([[0], np.cumsum(counts)])][1:-1]
    found.unit = every.unit
    found.tokens += zip(np.split(every.vectors, borders), np.split(every.places, borders), strict=True)


def batches(prepared: Iterable[DecodedItem], preparation: Preparation, size: int) -> Iterator[list[DecodedItem]]:
    """Groups of about ``size`` views that can be encoded together.

    Where lengths differ (texts) the shard is sorted by length first, so that little is padded. Else items are grouped
    by shape as they come.
    """
    if preparation.padding:
        by_length = sorted(prepared, key=lambda one: (length_of(one, preparation), one.item.id))
        yield from _filled(by_length, size)
        return
    waiting: dict[tuple[tuple[int, ...], ...], list[DecodedItem]] = {}
    held: Counter[tuple[tuple[int, ...], ...]] = Counter()
    for one in prepared:
        shape = shape_of(one)
        waiting.setdefault(shape, []).append(one)
        held[shape] += views_of(one)
        full = shape if held[shape] >= size else None
        if full is None and held.total() > BUFFERED_BATCHES * size:
            full = held.most_common(1)[0][0]
        if full is not None:
            del held[full]
            yield waiting.pop(full)
    yield from waiting.values()


def _filled(prepared: Iterable[DecodedItem], size: int) -> Iterator[list[DecodedItem]]:
    group: list[DecodedItem] = []
    for one in prepared:
        group.append(one)
        if sum(map(views_of, group)) >= size:
            yield group
            group = []
    if group:
        yield group


def views_in(views: EncoderInputs) -> int:
    """How many views of one item there are."""
    return len(next(iter(views.values())))


def views_of(one: DecodedItem) -> int:
    """How many views an item has."""
    assert one.views is not None
    return views_in(one.views)


def shape_of(one: DecodedItem) -> tuple[tuple[int, ...], ...]:
    """The shape of one view of an item, input by input."""
    assert one.views is not None
    return tuple(value.shape[1:] for value in one.views.values())


def length_of(one: DecodedItem, preparation: Preparation) -> int:
    """How long an item is where lengths differ."""
    assert one.views is not None
    return max(one.views[name].shape[1] for name in preparation.padding)
