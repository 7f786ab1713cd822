"""PointBERT: the time of each part for 64 clouds, and of farthest point sampling against its memory traffic.

The minimum of sampling: every step reads three coordinates and the running distance of every point and writes the
distance, at the rate at which this machine adds two arrays of that size.

    python benchmarks/pointbert.py
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch

from isthmus.spaces.pointbert.sampling import farthest_points, gathered, neighbours
from isthmus.spaces.pointbert.tower import GROUP_POINTS, GROUPS, PointBert

MOVED, ADDED = 5, 3
"""Floats per point that a step moves, and that an addition of two arrays moves."""


def seconds(work: Callable[[], object], repeats: int) -> list[float]:
    """Times of several runs after a warm-up."""
    work()
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return found


@torch.inference_mode()
def measured(clouds: int, points: int, threads: int) -> dict[str, object]:
    """Median seconds of each part."""
    torch.set_num_threads(threads)
    draw = torch.Generator().manual_seed(0)
    given = torch.nn.functional.normalize(torch.randn(clouds, points, 3, generator=draw), dim=-1)
    tower = PointBert().eval()
    centres = gathered(given, farthest_points(given, GROUPS))
    groups = gathered(given, neighbours(centres, given, GROUP_POINTS)) - centres[:, :, None]
    first, second = torch.randn(2, clouds, points, generator=draw)

    def additions() -> None:
        for _ in range(GROUPS):
            torch.add(first, second, out=first)

    parts = {
        "sampling": seconds(lambda: farthest_points(given, GROUPS), 5),
        "grouping": seconds(lambda: gathered(given, neighbours(centres, given, GROUP_POINTS)), 3),
        "transformer": seconds(lambda: tower.transformed(centres, groups), 1),
        "minimum of sampling": [own * MOVED / ADDED for own in seconds(additions, 5)],
    }
    found: dict[str, object] = {name: round(float(np.median(own)), 4) for name, own in parts.items()}
    whole = sum(float(np.median(parts[name])) for name in ("sampling", "grouping", "transformer"))
    found["sampling, share of the whole"] = round(float(np.median(parts["sampling"])) / whole, 4)
    found["sampling / minimum"] = round(
        float(np.median(parts["sampling"]) / np.median(parts["minimum of sampling"])), 1
    )
    return {"clouds": clouds, "points": points, "threads": threads, **found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clouds", type=int, default=64)
    parser.add_argument("--points", type=int, nargs="+", default=[1024, 8192])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    for size in asked.points:
        for count in asked.threads:
            print(json.dumps(measured(asked.clouds, size, count)), flush=True)
