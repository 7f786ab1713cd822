"""Paper scale on a GPU: exact pseudo pairs for 2.3 M texts over memories of 1.3 M and 1.8 M, then the full fit.

    python benchmarks/gpu_connect.py                                  # an H200: ready, not yet run there
    python benchmarks/gpu_connect.py --device cpu --scale 0.002       # the same steps, small, anywhere

Rows are those of `realistic`. The limit of the pseudo pairs is their arithmetic, 4 · texts · items · 512 operations, at
the rate of one large matrix product in the same precision, measured here.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch

from isthmus.connectors.config import CmcrConfig, ConsistencyConfig
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import Recentred, read
from isthmus.connectors.pseudo.consistency import pseudo_rows
from isthmus.embeddings import Embeddings
from realistic import DIM, Contents, Space

TEXTS, LEFT_MEMORY, RIGHT_MEMORY = 2_300_000, 1_300_000, 1_800_000
BLOCK = 50_000


def draw(spaces: list[Space], modality: str, rows: int, seed: int) -> list[np.ndarray]:
    """The same contents in each space."""
    contents, generator = Contents(0), torch.Generator().manual_seed(seed)
    made = [np.empty((rows, DIM), np.float32) for _ in spaces]
    for start in range(0, rows, BLOCK):
        content = contents.draw(min(BLOCK, rows - start), generator)
        for space, array in zip(spaces, made, strict=True):
            array[start : start + len(content.topic)] = space.rows(content, modality, generator).numpy()
    return made


def embeddings(rows: np.ndarray, modality: str, space: str) -> Embeddings:
    """Unit rows as embeddings."""
    return Embeddings.from_array(rows, modality=modality, space=space, normalize=False)


def matrix_rate(device: torch.device) -> float:
    """Operations a second of an 8192³ product in the precision in use (1024³ on a CPU)."""
    size = 8192 if device.type == "cuda" else 1024
    a, b = torch.randn(size, size, device=device), torch.randn(size, size, device=device)
    a @ b
    wait(device)
    started = time.perf_counter()
    for _ in range(10):
        a @ b
    wait(device)
    return 10 * 2 * size**3 / (time.perf_counter() - started)


def wait(device: torch.device) -> None:
    """Wait for the device to finish."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    """Time pseudo pairs and the fit, and print them with the limit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="cuda")
    options.add_argument("--scale", type=float, default=1.0)
    given = options.parse_args()
    device = torch.device(given.device)
    torch.set_float32_matmul_precision("high")
    spaces = [Space(1), Space(2)]
    texts = draw(spaces, "text", int(TEXTS * given.scale), 3)
    memories = [
        draw([spaces[0]], "item", int(LEFT_MEMORY * given.scale), 4)[0],
        draw([spaces[1]], "item", int(RIGHT_MEMORY * given.scale), 5)[0],
    ]
    sides = [
        Side(embeddings(text, "text", name), embeddings(memory, modality, name))
        for text, memory, modality, name in zip(texts, memories, ("image", "audio"), ("left", "right"), strict=True)
    ]
    rate = matrix_rate(device)

    wait(device)
    started = time.perf_counter()
    for side in sides:
        assert side.memory is not None
        found = pseudo_rows(
            Recentred(side.overlap, None), side.memory, ConsistencyConfig(method="exact"), device=device
        )
        read(found, device)
    wait(device)
    pseudo_seconds = time.perf_counter() - started
    work = sum(4 * len(side.overlap) * len(side.memory) * DIM for side in sides if side.memory is not None)

    started = time.perf_counter()
    fit_cmcr(Materials(*sides), CmcrConfig(), seed=0, device=given.device, progress=True)
    wait(device)
    whole = time.perf_counter() - started
    print(
        json.dumps(
            {
                "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
                "texts": len(texts[0]),
                "matrix_tflops": round(rate / 1e12, 2),
                "pseudo_pairs_s": round(pseudo_seconds, 1),
                "pseudo_pairs_limit_s": round(work / rate, 1),
                "pseudo_pairs_share_of_limit": round(work / rate / pseudo_seconds, 3),
                "whole_fit_with_pseudo_pairs_s": round(whole, 1),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
