"""Semantic consistency: exact against this machine's matrix rate, and `lists` against exact.

    python benchmarks/consistency_speed.py

One run, ratios, idle cores. Exact: arithmetic is 4 · queries · rows · 512; its rate is compared with that of one large
float32 matrix product measured before and after. Peak memory is measured in separate processes, over memory-mapped
memories of growing size. `lists` includes clustering the memory and choosing the number of lists for the tolerance.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from isthmus.connectors.config import ConsistencyConfig
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.consistency import PseudoRows, prepare
from isthmus.connectors.pseudo.exact import exact
from isthmus.connectors.pseudo.lists import mean_cosine_error
from realistic import DIM, Contents, Space

TEMPERATURE = 0.01
CPU = torch.device("cpu")
MEMORY_ROWS = 200_000
QUERIES = 100_000
EXACT_QUERIES = 8192
PEAK_ROWS = (100_000, 400_000)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def matrix_rate() -> float:
    """Floating-point operations a second of a 4096³ float32 product: the best of five."""
    a, b = torch.randn(4096, 4096), torch.randn(4096, 4096)
    a @ b
    return 2 * 4096**3 / min(seconds(lambda: a @ b) for _ in range(5))


def draw(rows: int, modality: str, seed: int) -> torch.Tensor:
    """Realistic rows in blocks."""
    contents, space, generator = Contents(0), Space(1), torch.Generator().manual_seed(seed)
    counts = [20_000] * (rows // 20_000) + ([rows % 20_000] if rows % 20_000 else [])
    return torch.cat([space.rows(contents.draw(count, generator), modality, generator) for count in counts])


class MappedRows:
    """Float16 rows of a memory-mapped file."""

    def __init__(self, path: Path) -> None:
        self.rows = np.load(path, mmap_mode="r")
        self.dim = self.rows.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Float32 blocks."""
        for start in range(0, len(self.rows), rows):
            yield self.rows[start : start + rows].astype(np.float32)


def peak_megabytes(rows: int, folder: Path) -> float:
    """Memory that exact consistency adds over a memory-mapped file of this many rows, in a separate process."""
    path = folder / f"{rows}.npy"
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(rows, DIM))
    for start in range(0, rows, 50_000):
        file[start : start + 50_000] = np.random.default_rng(start).standard_normal((50_000, DIM)) / DIM**0.5
    del file
    done = subprocess.run(
        [sys.executable, __file__, "--peak-of", str(path)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def print_peak(path: Path) -> None:
    """Run exact over a file and print the peak memory in MB, without pages of the mapped file."""
    queries = torch.nn.functional.normalize(torch.randn(512, DIM), dim=-1)
    memory = MappedRows(path)
    exact(queries, memory, TEMPERATURE)
    # ru_maxrss would start at the memory of the parent process.
    print((_kilobytes("VmHWM") - _kilobytes("RssFile")) / 1024)


def _kilobytes(field: str) -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in status if line.startswith(field))


def main() -> None:
    """Print every figure as JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peak-of", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    if given.peak_of:
        print_peak(given.peak_of)
        return
    memory, queries = draw(MEMORY_ROWS, "item", 2), draw(QUERIES, "text", 3)
    before = matrix_rate()
    exact(queries[:512], TensorRows(memory), TEMPERATURE)
    exact_seconds = min(
        seconds(lambda: exact(queries[:EXACT_QUERIES], TensorRows(memory), TEMPERATURE)) for _ in range(3)
    )
    after = matrix_rate()
    rate = 4 * EXACT_QUERIES * MEMORY_ROWS * DIM / exact_seconds

    config = ConsistencyConfig(TEMPERATURE, "lists")
    ready = []
    prepared = seconds(lambda: ready.append(prepare(TensorRows(queries), TensorRows(memory), config, device=CPU)))
    answers: list[np.ndarray] = []
    rows = PseudoRows(TensorRows(queries), ready[0], CPU)
    answered = seconds(lambda: answers.extend(rows.batches(8192)))
    sample = torch.linspace(0, QUERIES - 1, 2000).long()
    expected = exact(queries[sample], TensorRows(memory), TEMPERATURE)
    exact_for_all = exact_seconds * QUERIES / EXACT_QUERIES
    with tempfile.TemporaryDirectory() as folder:
        peaks = {rows: round(peak_megabytes(rows, Path(folder))) for rows in PEAK_ROWS}
    found = {
        "matrix_gflops": [round(before / 1e9, 1), round(after / 1e9, 1)],
        "exact_gflops": round(rate / 1e9, 1),
        "exact_share_of_matrix_rate": round(rate / max(before, after), 3),
        "exact_peak_mb_by_memory_rows": peaks,
        "lists_prepare_s": round(prepared, 1),
        "lists_answer_s": round(answered, 1),
        "exact_s_for_the_same": round(exact_for_all, 1),
        "lists_times_faster_answering": round(exact_for_all / answered, 1),
        "lists_times_faster_in_all": round(exact_for_all / (prepared + answered), 1),
        "lists_error_reported": ready[0].error,
        "lists_error_on_2000_others": mean_cosine_error(torch.from_numpy(np.concatenate(answers))[sample], expected),
        "queries": QUERIES,
        "memory_rows": MEMORY_ROWS,
    }
    print(json.dumps(found, indent=1))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
