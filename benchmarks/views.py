"""What `auto` loses by drawing its pseudo pairs in a sample of the memories, or for a sample of the texts.

    python benchmarks/views.py

Spaces of `realistic`: 1500 texts, 20 000 and 10 000 items of 512 dimensions, and 2000 pairs of items to score. Prints
the MRR of the six closed forms' blend.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from isthmus.connectors.choosing.criteria import counterpart_mrr
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.choosing.auto import Choice, blend
from isthmus.connectors.config import Centring
from isthmus.connectors.member import blend_projection
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.pseudo.centred import centred_materials
from isthmus.embeddings import Embeddings
from realistic import Contents, Space

TEXTS, ITEMS, GALLERY = 1500, (20_000, 10_000), 2000
SHARES = (1.0, 0.25, 0.1, 0.02)
CENTRINGS: tuple[Centring, ...] = ("matched", "mean")


def embeddings(rows: Float[Tensor, "rows dim"], modality: str, space: str) -> Embeddings:
    """Rows of a space."""
    return Embeddings.from_array(rows.numpy(), modality=modality, space=space, ids=range(len(rows)))


def fitted(sides: Sequence[Side], rows: Int[Tensor, " rows"]) -> Choice:
    """The blend of some of the texts."""
    materials = Materials(*sides)
    return blend({own: centred_materials(materials, own, rows) for own in CENTRINGS}, torch.arange(len(rows)))


def main() -> None:
    """Print a line for each share of the items, and of the texts."""
    contents, draw = Contents(0), torch.Generator().manual_seed(1)
    spaces = [Space(1), Space(2)]
    shown = contents.draw(TEXTS, draw)
    sides = [
        Side(
            embeddings(space.rows(shown, "text", draw), "text", name),
            embeddings(space.rows(contents.draw(items, draw), "item", draw), modality, name),
        )
        for space, items, name, modality in zip(spaces, ITEMS, ("left", "right"), ("image", "audio"), strict=True)
    ]
    scored = contents.draw(GALLERY, draw)
    gallery = [space.rows(scored, "item", draw) for space in spaces]

    def mrr(choice: Choice) -> float:
        project = blend_projection(choice.members, choice.weights)
        return counterpart_mrr(project(gallery[0], 0, "image"), project(gallery[1], 1, "audio"))

    for share in SHARES:
        taken = []
        for side in sides:
            assert side.memory is not None
            count = round(share * len(side.memory))
            taken.append(
                Side(side.overlap, side.memory.take(torch.randperm(len(side.memory), generator=draw)[:count].numpy()))
            )
        print(f"{share:5.0%} of the items: {mrr(fitted(taken, torch.arange(TEXTS))):.3f}", flush=True)
    for share in SHARES[1:2]:
        rows = torch.randperm(TEXTS, generator=draw)[: round(share * TEXTS)]
        print(f"{share:5.0%} of the texts: {mrr(fitted(sides, rows)):.3f}", flush=True)


if __name__ == "__main__":
    main()
