"""Encoding: the decoded items of one shard to unit rows, in batches of one shape. Equal shards give equal rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

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

    ``cut`` counts the texts of which the encoder saw only the beginning.
    """

    items: list[EncodedItem] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[Item, str]] = field(default_factory=list)
    cut: int = 0


def encode_shard(
    space: Space, job: Job, items: Sequence[Item], decoded: Iterator[DecodedItem], count: ItemCount
) -> EncodedShard:
    """Encode every item that can be read, and record why the others cannot."""
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
    dim = len(shard.items[0].row) if shard.items else rows.shape[1]
    if not usable.all() or rows.shape[1] != dim:
        why = "returned NaN or zero" if rows.shape[1] == dim else f"returned {rows.shape[1]} dimensions, not {dim}"
        shard.problems += [(item, f"{item.name}: the encoder {why}") for item, _ in batch]
        return
    tokens = space.encode_prepared_tokens(job.modality, inputs) if job.config.tokens else [None] * len(batch)
    shard.cut += sum(bool(own[CUT].any()) for own in inputs if CUT in own)
    shard.items += [EncodedItem(item, row, own) for (item, _), row, own in zip(batch, rows, tokens, strict=True)]
