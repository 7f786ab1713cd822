"""The Ray runner: actors that encode shards, on one machine or many. If an actor dies, Ray repeats its shard.

Every node must see the input and the set at the same paths.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.bulk.job import ItemCount, Job, NumberedShard
from isthmus.bulk.local_runner import ShardEncoder, run_local
from isthmus.bulk.store import ShardFiles
from isthmus.spaces import Space


class RayShards:
    """A `ShardEncoder` for Ray Data: blocks of one row, a pickled shard in, pickled `ShardFiles` out."""

    def __init__(self, job: Job, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.encode = ShardEncoder(job)

    def __call__(self, block: dict[str, Any]) -> dict[str, Any]:
        """Write each shard of the block."""
        return {"written": np.array([pickle.dumps(self.encode(*pickle.loads(row))) for row in block["shard"]], object)}


def run_ray(job: Job, space: Space, shards: Sequence[NumberedShard], count: ItemCount) -> Iterator[ShardFiles]:
    """Write every shard, in the order they finish; each actor loads the space itself. Starts Ray if it is not running.

    Raises `IsthmusError` if Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise IsthmusError("--runner ray needs Ray: pip install 'isthmus[ray]'") from error
    while shards and space.kind == "vector" and not job.dim:
        # Vectors made elsewhere can have any dimension: the first shard that has rows decides, as it does locally.
        (first,) = run_local(job, space, shards[:1], count)
        job = replace(job, dim=first.dim or 0)
        yield first
        shards = shards[1:]
    if not shards:
        return
    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    actors, on_cpu = job.config.actors, job.device == "cpu"
    each = max(1, int(ray.cluster_resources().get("CPU", actors)) // actors)
    if job.workers:
        workers = job.config.workers or max(1, each // 2 if on_cpu else each)
        job = replace(job, config=replace(job.config, workers=workers))
    rows = [{"shard": pickle.dumps(shard)} for shard in shards]
    try:
        written = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            RayShards,
            fn_constructor_args=(job, each),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=actors),
            num_cpus=each if on_cpu else 1,
            num_gpus=0 if on_cpu else 1,
        )
        for row in written.iter_rows():
            files: ShardFiles = pickle.loads(row["written"])
            yield files
            count.add(files.shard.rows, unreadable=len(files.failures))
    finally:
        if started:
            ray.shutdown()
