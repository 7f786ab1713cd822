"""The local runner: decoding in worker processes while the encoder runs here, shard after shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from isthmus.bulk.decoding import DecodedItem, Decoders
from isthmus.bulk.encoding import encode_shard
from isthmus.bulk.job import Job
from isthmus.bulk.progress import OnItem
from isthmus.bulk.store import Written, write_encoded
from isthmus.media import Item
from isthmus.spaces import Space, load_space

Numbered = tuple[int, tuple[Item, ...]]


def run_local(job: Job, space: Space, shards: Iterable[Numbered], on_item: OnItem) -> Iterator[Written]:
    """Every shard, written; decoding goes on over the shards' borders."""
    listed = list(shards)
    with decoders_of(job, space) as decoders:
        stream = decoders.prepared(chain.from_iterable(items for _, items in listed))
        for number, items in listed:
            own: Iterator[DecodedItem] = islice(stream, len(items))
            yield write_encoded(job, space.name, number, encode_shard(space, job, items, own, on_item))


class ShardEncoder:
    """What a worker elsewhere holds: the space, loaded once, and its decoders. Called with a shard, writes it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.space = load_space(job.space, device=job.device, precision=job.config.precision)
        self.decoders = decoders_of(job, self.space)

    def __call__(self, number: int, items: tuple[Item, ...]) -> Written:
        """The shard's files, written."""
        stream = self.decoders.prepared(items)
        encoded = encode_shard(self.space, self.job, items, stream, lambda readable: None)
        return write_encoded(self.job, self.space.name, number, encoded)


def decoders_of(job: Job, space: Space) -> Decoders:
    """The decoders a job asks for."""
    return Decoders(space.preparation(job.modality), job.workers, job.ahead, job.config.timeout)
