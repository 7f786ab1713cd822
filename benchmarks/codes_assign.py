"""Assigning a million tokens to 1024 codes of 256 dimensions, against the bare matrix product of the same size.

    python benchmarks/codes_assign.py

Run it on idle cores; each time is the best of three, and only the ratio carries over to other machines.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch

from isthmus.codes.model.codebook import Codebook

CODES, DIM, BLOCK = 1024, 256, 65_536


def seconds(work: Callable[[], object]) -> float:
    """The best wall time of three calls."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print the ratio as JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tokens", type=int, default=1_000_000)
    given = options.parse_args()
    book = Codebook(CODES, DIM)
    book.start_normal(torch.Generator().manual_seed(0))
    tokens = torch.randn(given.tokens, DIM, generator=torch.Generator().manual_seed(1))
    product = torch.empty(BLOCK, CODES)

    def bare() -> None:
        for block in tokens.split(BLOCK):
            torch.mm(block, book.vectors.T, out=product[: len(block)])

    bare()
    ours, matrix = seconds(lambda: book.assign(tokens)), seconds(bare)
    print(json.dumps({"tokens": given.tokens, "assign_s": ours, "matrix_s": matrix, "ratio": ours / matrix}, indent=1))


if __name__ == "__main__":
    main()
