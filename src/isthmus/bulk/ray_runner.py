"""The Ray Data runner: actors that encode shards, on one machine or many. A shard whose actor dies is done again.

Every node must see the input and the set under the same paths.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.bulk.job import Job
from isthmus.bulk.local_runner import Numbered, ShardEncoder
from isthmus.bulk.store import Written


class RayShards:
    """A `ShardEncoder` as Ray Data calls it: blocks of one row, a pickled shard in, a pickled result out."""

    def __init__(self, job: Job, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.encode = ShardEncoder(job)

    def __call__(self, block: dict[str, Any]) -> dict[str, Any]:
        """Each shard of the block, written."""
        return {"written": np.array([pickle.dumps(self.encode(*pickle.loads(row))) for row in block["shard"]], object)}


def run_ray(job: Job, shards: Iterable[Numbered]) -> Iterator[Written]:
    """Every shard, written, in the order they are done. Starts Ray where it does not run yet.

    Raises `IsthmusError` where Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise IsthmusError("the runner ray needs Ray: pip install 'isthmus[ray]'") from error
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
        if not rows:
            return
        written = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            RayShards,
            fn_constructor_args=(job, each),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=actors),
            num_cpus=each if on_cpu else 1,
            num_gpus=0 if on_cpu else 1,
        )
        for row in written.iter_rows():
            yield pickle.loads(row["written"])
    finally:
        if started:
            ray.shutdown()
