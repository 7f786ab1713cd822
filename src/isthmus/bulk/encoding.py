"""Encoding: the decoded items of one shard to unit rows, in batches of one shape. Equal shards give equal rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.bulk.decoding import DecodedItem
from isthmus.bulk.job import ItemCount, Job
from isthmus.media import Item
from isthmus.spaces import Space
from isthmus.spaces.batching import PreparedItem, batches
from isthmus.spaces.protocol import CUT, WindowTokens


@dataclass(frozen=True)
class EncodedItem:
    """An item with its row, and its tokens if the job asks for them."""

    item: Item
    row: Float32[np.ndarray, " dim"]
    tokens: WindowTokens | None


@dataclass
class EncodedShard:
    """The encoded items of a shard in the listing's order, their content hashes by id, and the unreadable items.

    ``cut`` counts the texts that were longer than the encoder reads. ``misfits`` are the ids of items that fail only
    because their rows have another dimension than ``dim``.
    """

    items: list[EncodedItem] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[Item, str]] = field(default_factory=list)
    cut: int = 0
    dim: int = 0
    misfits: set[str] = field(default_factory=set)


def encode_shard(
    space: Space, job: Job, items: Sequence[Item], decoded: Iterator[DecodedItem], count: ItemCount
) -> EncodedShard:
    """Encode every item that can be read, and record why the others cannot.

    Raises `IsthmusError` if the set has no dimension yet, and two dimensions are equally frequent.
    """
    shard = EncodedShard()

    def readable() -> Iterator[PreparedItem]:
        for one in decoded:
            if one.inputs is None:
                shard.problems.append((one.item, one.problem))
                count.add(unreadable=1)
            else:
                shard.contents[one.item.id] = one.content
                yield one.item, one.inputs

    for batch in batches(readable(), space.preparation(job.modality).padding, job.batch):
        before = len(shard.items)
        _encode(space, job, batch, shard)
        read = len(shard.items) - before
        count.add(read, unreadable=len(batch) - read)
    _reject_misfits(space, job, shard, count)
    place = {item.id: number for number, item in enumerate(items)}
    shard.items.sort(key=lambda one: place[one.item.id])
    shard.problems.sort(key=lambda problem: place[problem[0].id])
    return shard


def _encode(space: Space, job: Job, batch: list[PreparedItem], shard: EncodedShard) -> None:
    """Encode a batch; if a row of it is not usable, encode each item alone, so that only that item is lost."""
    inputs = [own for _, own in batch]
    rows = space.encode_prepared(job.modality, inputs)
    usable = np.isfinite(rows).all(1) & rows.any(1)
    if not usable.all() and len(batch) > 1:
        for one in batch:
            _encode(space, job, [one], shard)
        return
    if not usable.all():
        shard.problems += [(item, f"{item.name}: the encoder returned NaN or zero") for item, _ in batch]
        return
    tokens = space.encode_prepared_tokens(job.modality, inputs) if job.config.tokens else [None] * len(batch)
    shard.cut += sum(bool(own[CUT].any()) for own in inputs if CUT in own)
    shard.items += [EncodedItem(item, row, own) for (item, _), row, own in zip(batch, rows, tokens, strict=True)]


def _reject_misfits(space: Space, job: Job, shard: EncodedShard, count: ItemCount) -> None:
    """Move items whose rows have another dimension than the set, or than most of its first shard, to the problems."""
    shard.dim = job.dim or _most_frequent(shard.items)
    fitting = [one for one in shard.items if len(one.row) == shard.dim]
    does = "has" if space.kind == "vector" else "the encoder returned"
    for one in shard.items:
        if len(one.row) != shard.dim:
            why = f"{does} {len(one.row)} dimensions, not {shard.dim} like the set"
            shard.problems.append((one.item, f"{one.item.name}: {why}"))
            shard.misfits.add(one.item.id)
    if shard.misfits:
        count.add(-len(shard.misfits), unreadable=len(shard.misfits))
    shard.items = fitting


def _most_frequent(items: Sequence[EncodedItem]) -> int:
    """The dimension that most rows have; 0 if there are none."""
    most = Counter(len(one.row) for one in items).most_common(2)
    if len(most) == 2 and most[0][1] == most[1][1]:
        (first, rows), (second, _) = most
        names = [next(one.item.name for one in items if len(one.row) == dim) for dim in (first, second)]
        raise IsthmusError(
            f"{names[0]} has {first} dimensions and {names[1]} has {second}, both equally frequent (items of each: "
            f"{rows}): remove those that do not belong to the set"
        )
    return most[0][0] if most else 0
