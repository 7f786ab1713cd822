"""Encoding: the items of one shard to unit rows, in batches of one shape; the same shard gives the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from isthmus.bulk.decoding import DecodedItem
from isthmus.bulk.job import Job
from isthmus.bulk.progress import OnItem
from isthmus.media import Item
from isthmus.spaces import Space
from isthmus.spaces.batching import PreparedItem, batches
from isthmus.spaces.protocol import WindowTokens


@dataclass
class Encoded:
    """What became of a shard's items: those encoded with their rows, and those that could not be read.

    ``tokens`` are there if the job asks for them.
    """

    items: list[Item] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    tokens: list[WindowTokens] = field(default_factory=list)
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
            sorted(self.problems, key=lambda entry: place[entry[0].id]),
        )


def encode_shard(
    space: Space, job: Job, items: Sequence[Item], decoded: Iterator[DecodedItem], on_item: OnItem
) -> Encoded:
    """Rows of every item that can be read, and the reason for every one that cannot."""
    found = Encoded()
    contents: dict[str, str] = {}

    def readable() -> Iterator[PreparedItem]:
        for one in decoded:
            if one.inputs is None:
                found.problems.append((one.item, one.problem))
                on_item(False)
            else:
                contents[one.item.id] = one.content
                yield one.item, one.inputs

    for batch in batches(readable(), space.preparation(job.modality).padding, job.batch):
        _encode(space, job, batch, found)
        for _ in batch:
            on_item(True)
    found.contents = [contents[item.id] for item in found.items]
    return found.in_order(items)


def _encode(space: Space, job: Job, batch: list[PreparedItem], found: Encoded) -> None:
    """Encode a batch; if one row of it is not usable, each item alone, so that only that item is lost."""
    inputs = [own for _, own in batch]
    rows = space.encode_prepared(job.modality, inputs)
    usable = np.isfinite(rows).all(1) & rows.any(1)
    if not usable.all() and len(batch) > 1:
        for one in batch:
            _encode(space, job, [one], found)
        return
    dim = len(found.rows[0]) if found.rows else rows.shape[1]
    if not usable.all() or rows.shape[1] != dim:
        why = "gave NaN or zero for it" if rows.shape[1] == dim else f"gave {rows.shape[1]} dimensions, not {dim}"
        found.problems += [(item, f"{item.name}: the encoder {why}") for item, _ in batch]
        return
    found.items += [item for item, _ in batch]
    found.rows += list(rows)
    if job.config.tokens:
        found.tokens += space.encode_prepared_tokens(job.modality, inputs)
