"""Connect at a given size on this machine, from 512-d float16 shards on disk: time, memory and quality.

    python benchmarks/paper_scale.py --folder /some/disk            # 8 GB of disk: 2.3 M texts, 1.3 M and 1.8 M items
    python benchmarks/paper_scale.py --folder /some/disk --scale 0.05
    python benchmarks/paper_scale.py --folder /some/disk --rows 20000 300000 100000 --methods auto cca procrustes

Rows are made by `realistic`: texts of both spaces, and both sides of the gallery, show the same contents. The time
includes opening the sets, `isthmus.connect` with its report, and saving, but not making the rows. Peak memory is that
of this process, so give one method to measure it.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track

import isthmus
from isthmus.base.progress import Progress
from isthmus.connectors.config import METHODS
from isthmus.embeddings import EmbeddingWriter, open_set
from isthmus.worlds.world import Gallery
from realistic import DIM, Contents, Space

ROWS = (2_300_000, 1_300_000, 1_800_000)
"""Texts, and items of the left and of the right memory: as many as in the paper."""
GALLERY = 1000
BLOCK = 20_000
SHARD_ROWS = 250_000


def write(folder: Path, spaces: dict[str, Space], modality: str, rows: int, seed: int) -> None:
    """Write sets of rows that show the same contents in each of the given spaces."""
    contents, draw = Contents(0), torch.Generator().manual_seed(seed)
    shown = {"text": "text"}.get(modality, "item")
    writers = {
        name: EmbeddingWriter(folder / name, modality=modality, space=name, dim=DIM, shard_rows=SHARD_ROWS)
        for name in spaces
    }
    if all(writer.rows_done == rows for writer in writers.values()):
        return
    if any(writer.rows_done for writer in writers.values()):
        raise SystemExit(f"{folder}: has other or unfinished {modality} rows: delete it")
    for start in track(range(0, rows, BLOCK), description=f"writing {rows} {modality} rows"):
        count = min(BLOCK, rows - start)
        content = contents.draw(count, draw)
        for name, space in spaces.items():
            writers[name].append(
                space.rows(content, shown, draw).numpy(), [str(row) for row in range(start, start + count)]
            )
    for writer in writers.values():
        writer.close()


def gallery(spaces: dict[str, Space]) -> Gallery:
    """True counterparts, unseen in training."""
    contents, draw = Contents(0), torch.Generator().manual_seed(99)
    content = contents.draw(GALLERY, draw)
    sides = [
        isthmus.Embeddings.from_array(space.rows(content, "item", draw).numpy(), modality=modality, space=name)
        for (name, space), modality in zip(spaces.items(), ("image", "audio"), strict=True)
    ]
    own = np.arange(GALLERY)
    return Gallery(sides[0], sides[1], own, own)


class Stages:
    """Seconds of each stage that `connect` reports, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "", time.perf_counter()

    def __call__(self, now: Progress | None) -> None:
        """Take a report; ``None`` at the end."""
        stage = "" if now is None else now.stage
        if stage == self._stage:
            return
        if self._stage:
            spent = time.perf_counter() - self._since
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + spent, 1)
        self._stage, self._since = stage, time.perf_counter()


def connected(folder: Path, method: str, drawn: Gallery) -> dict[str, Any]:
    """Connect the sets in the folder; the figures."""
    started, processor, stages = time.perf_counter(), time.process_time(), Stages()
    left, right = open_set(folder / "left"), open_set(folder / "right")
    connector = isthmus.connect(left, right, method=method, progress=stages)
    stages(None)
    connector.save(folder / "connector")
    total, used = time.perf_counter() - started, time.process_time() - processor
    found = isthmus.metrics.retrieval(
        connector.project(drawn.left), connector.project(drawn.right), (drawn.left_concepts, drawn.right_concepts)
    )
    return {
        "method": method,
        "rows": [len(left["text"]), len(left["image"]), len(right["audio"])],
        "seconds": round(total, 1),
        "processor_seconds": round(used, 1),
        "stages": stages.seconds,
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "gallery_r1": round(100 * found.recall[1], 1),
        "gallery_mrr": round(100 * found.mrr, 1),
        "joint_dim": connector.dim,
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Write the sets, connect them, and print time, memory and quality."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--rows", type=int, nargs=3, default=ROWS, help="texts, left items, right items")
    options.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    options.add_argument("--methods", nargs="+", default=["auto"], choices=METHODS)
    options.add_argument("--only-write", action="store_true")
    given = options.parse_args()
    spaces = {"left": Space(1), "right": Space(2)}
    texts, left_items, right_items = (int(rows * given.scale) for rows in given.rows)
    write(given.folder, spaces, "text", texts, 3)
    write(given.folder, {"left": spaces["left"]}, "image", left_items, 4)
    write(given.folder, {"right": spaces["right"]}, "audio", right_items, 5)
    if given.only_write:
        return
    logging.basicConfig(level=logging.INFO)
    drawn = gallery(spaces)
    for method in given.methods:
        print(json.dumps(connected(given.folder, method, drawn), indent=1), flush=True)


if __name__ == "__main__":
    main()
