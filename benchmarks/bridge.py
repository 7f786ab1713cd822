"""What a bridge adds to `auto` in the bank's worlds with many texts, and what projecting over texts costs.

    python benchmarks/bridge.py

Every world of the bank with enough texts is connected twice, without and with the bridge; the trained member is left
out. Figures are true mean reciprocal ranks of the gallery, both directions. Times are for random rows of 512
dimensions and 12 000 texts.
"""

from __future__ import annotations

import time

import numpy as np
import torch

import isthmus
from bank import mrr
from isthmus.connectors.choosing.auto import MANY_ROWS
from isthmus.connectors.config import BridgeConfig
from isthmus.connectors.methods.bridge import bridge_member
from isthmus.connectors.pseudo.centred import CentredMaterials
from worlds.bank import BankWorld, bank

TEXTS, DIM = 12_000, 512
COUNTS = (1, 2000)


def compared(drawn: BankWorld) -> str:
    """A row of the table: the MRR without and with the bridge, and its share."""
    world, found, share = drawn.world, [], 0.0
    gallery = next(iter(world.galleries.values()))
    same = np.asarray(gallery.left_concepts)[:, None] == np.asarray(gallery.right_concepts)[None]
    for bridge_share in (0.0, 0.5):
        connector = isthmus.connect(
            world.left, world.right, trained_share=0.0, bridge_share=bridge_share, seed=0, device="cpu"
        )
        left, right = (torch.from_numpy(connector.project(own).vectors) for own in (gallery.left, gallery.right))
        found.append(mrr(left @ right.T, torch.from_numpy(same)))
        share = connector.choice["tried"].get("bridge", {}).get("share", 0.0)
    return f"| {world.name} | {found[0]:.3f} | {found[1]:.3f} | {share:.2f} |"


def milliseconds(count: int) -> float:
    """Time for each of so many rows, the best of five."""
    draw = torch.Generator().manual_seed(0)
    texts, items = (
        torch.nn.functional.normalize(torch.randn(rows, DIM, generator=draw), dim=1) for rows in (TEXTS, 3000)
    )
    view = CentredMaterials("none", ({}, {}), (texts, texts.flip(0)), (items, items.flip(0)), (None, None))
    head = bridge_member(view, torch.arange(TEXTS), BridgeConfig()).left
    times = []
    for _ in range(5):
        began = time.perf_counter()
        head.project(items[:count], "image")
        times.append(time.perf_counter() - began)
    return 1000 * min(times) / count


def main() -> None:
    """Print the table and the times."""
    for count in COUNTS:
        print(f"{count} rows: {milliseconds(count):.2f} ms each")
    print("| world | without | with | share |\n|---|---|---|---|")
    for drawn in bank(0):
        if len(drawn.world.left["text"]) > 1.2 * MANY_ROWS:
            print(compared(drawn), flush=True)


if __name__ == "__main__":
    main()
