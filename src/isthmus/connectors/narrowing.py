"""Narrowing: reduce a blend to the dimensions it needs.

The members of a blend are concatenated, each in its own joint space: thousands of dimensions, mostly redundant. A few
common directions preserve the blend's cosines, and vectors and indexes become a fraction of the size.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.connectors.member import Member, blend_projection
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials

LOST = 1e-4
"""Share of the rows' squared length that may be lost."""
ROWS = 500
"""Rows of each modality from which the directions are computed."""


def narrow_basis(
    members: tuple[Member, ...], weights: tuple[float, ...], materials: Materials
) -> Float[Tensor, "wide joint"] | None:
    """Orthonormal directions that preserve a blend's cosines; ``None`` for a single member."""
    if len(members) == 1:
        return None
    project = blend_projection(members, weights)
    rows = [
        project(sample(own, ROWS), number, own.modality)
        for number, side in enumerate((materials.left, materials.right))
        for own in (side.overlap, side.memory)
        if own is not None
    ]
    return leading_directions(torch.cat(rows), LOST)


def leading_directions(rows: Float[Tensor, "rows wide"], lost: float) -> Float[Tensor, "wide joint"]:
    """The fewest orthonormal directions that lose at most a share ``lost`` of the rows' squared length."""
    tall = rows.shape[0] >= rows.shape[1]
    values, vectors = torch.linalg.eigh(rows.T @ rows if tall else rows @ rows.T)
    values = values.flip(0).clamp(min=0)
    outside = 1 - values.cumsum(0) / values.sum()
    count = int((outside > lost).sum()) + 1
    leading = vectors.flip(1)[:, :count]
    return leading if tall else rows.T @ leading / values[:count].sqrt()
