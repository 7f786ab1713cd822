"""The local runner: decoding in worker processes while the encoder runs in this one, shard after shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from isthmus.base.progress import Stage
from isthmus.bulk.decoding import DecodedItem, Decoders
from isthmus.bulk.encoding import encode_shard
from isthmus.bulk.job import ItemCount, Job, NumberedShard
from isthmus.bulk.store import ShardFiles, write_encoded
from isthmus.media import Item
from isthmus.spaces import Space, load_space


def run_local(job: Job, space: Space, shards: Sequence[NumberedShard], count: ItemCount) -> Iterator[ShardFiles]:
    """Write every shard; decoding does not pause between shards."""
    with decoders_of(job, space) as decoders:
        stream = decoders.prepared(chain.from_iterable(items for _, items in shards))
        for number, items in shards:
            own: Iterator[DecodedItem] = islice(stream, len(items))
            files = write_encoded(job, space.name, number, encode_shard(space, job, items, own, count))
            job = replace(job, dim=job.dim or files.dim or 0)
            yield files


class ShardEncoder:
    """The space, loaded once, and its decoders; call it with a shard to write it. Runs in other processes."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.space = load_space(job.space, device=job.device, precision=job.config.precision)
        self.decoders = decoders_of(job, self.space)

    def __call__(self, number: int, items: tuple[Item, ...]) -> ShardFiles:
        """Write the files of a shard."""
        uncounted = ItemCount(Stage("", len(items)), lambda now: None)
        encoded = encode_shard(self.space, self.job, items, self.decoders.prepared(items), uncounted)
        return write_encoded(self.job, self.space.name, number, encoded)


def decoders_of(job: Job, space: Space) -> Decoders:
    """The decoding processes of a job."""
    return Decoders(space.preparation(job.modality), job.workers, job.ahead, job.config.timeout)
