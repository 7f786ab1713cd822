"""Paper scale on this machine: 2.3 M texts, memories of 1.3 M and 1.8 M, 512-d float16 shards on disk.

    python benchmarks/paper_scale.py --folder /some/disk            # 8 GB of disk
    python benchmarks/paper_scale.py --folder /some/disk --scale 0.05

Rows are made by `realistic`: texts of both spaces, and both sides of the gallery, show the same contents. Nothing is
centred, as in the paper: pseudo pairs follow raw cosines. The time includes opening the sets, `isthmus.connect` with a
closed form on texts and pseudo pairs (semantic consistency by `lists`, its error measured) and its report, and saving,
but not making the rows. Peak memory is that of this process.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import time
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

import isthmus
from isthmus.connectors.config import CcaConfig
from isthmus.embeddings import EmbeddingWriter, open_set
from isthmus.worlds.world import Gallery
from realistic import DIM, Contents, Space

TEXTS, LEFT_MEMORY, RIGHT_MEMORY, GALLERY = 2_300_000, 1_300_000, 1_800_000, 1000
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


def main() -> None:
    """Write the sets, connect them, and print time, memory and quality."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    options.add_argument("--only-write", action="store_true")
    given = options.parse_args()
    spaces = {"left": Space(1), "right": Space(2)}
    write(given.folder, spaces, "text", int(TEXTS * given.scale), 3)
    write(given.folder, {"left": spaces["left"]}, "image", int(LEFT_MEMORY * given.scale), 4)
    write(given.folder, {"right": spaces["right"]}, "audio", int(RIGHT_MEMORY * given.scale), 5)
    if given.only_write:
        return
    logging.basicConfig(level=logging.INFO)
    started = time.perf_counter()
    left, right = open_set(given.folder / "left"), open_set(given.folder / "right")
    opened = time.perf_counter() - started
    connector = isthmus.connect(left, right, method=CcaConfig(centring="none", pair_weights="equal"))
    connector.save(given.folder / "connector")
    total = time.perf_counter() - started
    drawn = gallery(spaces)
    found = isthmus.metrics.retrieval(
        connector.project(drawn.left), connector.project(drawn.right), (drawn.left_concepts, drawn.right_concepts)
    )
    print(connector.report)
    print(
        json.dumps(
            {
                "texts": len(left["text"]),
                "left_memory": len(left["image"]),
                "right_memory": len(right["audio"]),
                "open_s": round(opened, 2),
                "total_minutes": round(total / 60, 1),
                "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
                "gallery_r1": round(100 * found.recall[1], 1),
                "gallery_mrr": round(100 * found.mrr, 1),
                "threads": torch.get_num_threads(),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
