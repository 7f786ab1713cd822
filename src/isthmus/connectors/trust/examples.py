"""Examples: a few items of the left memory, and the nearest items of the right memory in the joint space."""

from __future__ import annotations

import torch

from isthmus.connectors.member import RowProjection
from isthmus.connectors.overlap.centring import SAMPLE_ROWS, sample
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.overlap.rows import spaced_rows
from isthmus.connectors.trust.figures import FoundItems
from isthmus.connectors.trust.shown import shown_item

QUERIES, HITS = 4, 3


def found_items(project: RowProjection, materials: Materials) -> tuple[FoundItems, ...]:
    """Evenly spaced items of the left memory with their nearest among at most 5000 right ones; best first."""
    left, right = materials.left.memory, materials.right.memory
    if left is None or right is None:
        return ()
    # Neither the first nor the last item: sets often begin with something special.
    asked = spaced_rows(len(left), QUERIES + 2)[1:-1]
    queries = project(torch.from_numpy(left.take(asked).vectors), 0, left.modality)
    scores = queries @ project(sample(right), 1, right.modality).T
    best = scores.topk(min(HITS, scores.shape[1]))
    numbers = spaced_rows(len(right), SAMPLE_ROWS)
    return tuple(
        FoundItems(
            shown_item(left, int(row)),
            tuple(shown_item(right, int(numbers[hit])) for hit in hits),
            tuple(values),
        )
        for row, hits, values in zip(asked, best.indices.tolist(), best.values.tolist(), strict=True)
    )
