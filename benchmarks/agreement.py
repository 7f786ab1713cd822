"""Agreement of the two sides' texts in worlds of known truth, and of the same texts with shuffled ids.

    python benchmarks/agreement.py --data ../shared/data/real
    python benchmarks/agreement.py                              # the worlds of the bank alone

Columns: the correlation of cosines over all texts, also in standard deviations of shuffled ids; the share of draws of
50, 100 and 300 texts in which agreement is found; the share of shuffled draws of 300 in which it is found; and the
correlation of the covariances of texts and memory on each side in standard deviations of random rotations.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isthmus.connectors.overlap.agreement import agreement, row_agreement
from isthmus.connectors.overlap.directions import shared_directions
from isthmus.embeddings import Embeddings
from worlds.bank import bank
from worlds.real import animals, miniclip

SIZES = (50, 100, 300)
Side = dict[str, Embeddings]


def worlds(data: Path | None) -> Iterator[tuple[str, Side, Side]]:
    if data is not None:
        for world in (miniclip(data, 0), miniclip(data, 0, "image"), animals(data, 0)):
            yield world.name, *world.sides
    for banked in bank():
        yield banked.world.name, dict(banked.world.left), dict(banked.world.right)


def line(name: str, left: Side, right: Side, draws: int) -> str:
    overlap = next(iter(left))
    rows = [side[overlap].vectors for side in (left, right)]
    draw, count = np.random.default_rng(0), len(rows[0])
    found = []
    for size in SIZES:
        chosen = [draw.permutation(count)[: min(size, count)] for _ in range(draws)]
        found.append(np.mean([row_agreement(rows[0][own], rows[1][own]).found for own in chosen]))
    shuffled = np.mean([row_agreement(rows[0][own], rows[1][draw.permutation(own)]).found for own in chosen])
    whole = agreement(left[overlap], right[overlap])
    memories = [
        shared_directions(side[overlap], other)
        for side in (left, right)
        for modality, other in side.items()
        if modality != overlap
    ]
    turned = " ".join(f"{one.shared / one.deviation:6.1f}" for one in memories)
    shares = " ".join(f"{share:5.2f}" for share in found)
    return f"{name:32} {whole.correlation:.3f} {whole.score:7.1f}  {shares}  {shuffled:.3f}  {turned}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    for world in worlds(given.data):
        print(line(*world, given.draws), flush=True)


if __name__ == "__main__":
    main()
