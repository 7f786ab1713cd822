"""Opening an embedding set of a million rows: the time, and the memory, which shows that rows are not read.

python benchmarks/embeddings_open.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from isthmus.embeddings import EmbeddingWriter

ROWS, DIM, SHARD_ROWS = 1_000_000, 512, 250_000
OPEN = """
import json, sys, time, resource
from isthmus import open_set

def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1024

import numpy, pyarrow.parquet
from isthmus.embeddings import Embeddings
before, started = resident(), time.perf_counter()
found = open_set(sys.argv[1])["image"]
opened = time.perf_counter() - started
first = next(found.batches(1000))
some = time.perf_counter() - started
grown = resident() - before
started = time.perf_counter()
found.ids
print(json.dumps({"open_s": round(opened, 4), "open_and_first_1000_s": round(some, 4), "grown_mb": round(grown, 1),
                  "ids_s": round(time.perf_counter() - started, 2), "rows": len(found), "dim": found.dim}))
"""


def main() -> None:
    """Write the set once, open it in new processes."""
    with tempfile.TemporaryDirectory() as folder:
        draw = np.random.default_rng(0)
        with EmbeddingWriter(
            Path(folder) / "set", modality="image", space="clip", dim=DIM, shard_rows=SHARD_ROWS
        ) as writer:
            for start in range(0, ROWS, 50_000):
                names = [str(row) for row in range(start, start + 50_000)]
                writer.append(draw.standard_normal((50_000, DIM), dtype=np.float32), names)
        runs = [
            json.loads(
                subprocess.run(
                    [sys.executable, "-c", OPEN, str(Path(folder) / "set")], check=True, capture_output=True, text=True
                ).stdout
            )
            for _ in range(3)
        ]
    print(json.dumps(runs[0] | {"open_s": [run["open_s"] for run in runs]}, indent=1))


if __name__ == "__main__":
    main()
