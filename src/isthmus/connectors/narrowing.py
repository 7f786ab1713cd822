"""Narrowing: a blend in as many dimensions as it needs.

Members stand side by side, each in a joint space of its own: thousands of dimensions that say much the same. Their
leading common directions hold the blend's cosines, so vectors and indexes stay a fraction of the size.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.connectors.member import Member, project_blend
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials

LOST = 1e-4
"""Share of the rows' squared length that may lie outside the kept directions."""
ROWS = 500
"""Rows of each modality from which the directions are found."""


def narrow_basis(
    members: tuple[Member, ...], weights: tuple[float, ...], materials: Materials
) -> Float[Tensor, "wide joint"] | None:
    """Orthonormal directions that keep a blend's cosines; ``None`` for a single member, which is narrow already."""
    if len(members) == 1:
        return None
    rows = []
    for number, side in enumerate((materials.left, materials.right)):
        heads = [member.right if number else member.left for member in members]
        known = [side.overlap] if side.memory is None else [side.overlap, side.memory]
        rows += [project_blend(heads, weights, sample(own, ROWS), own.modality) for own in known]
    return leading_directions(torch.cat(rows), LOST)


def leading_directions(rows: Float[Tensor, "rows wide"], lost: float) -> Float[Tensor, "wide joint"]:
    """The fewest orthonormal directions outside of which at most a share ``lost`` of the rows' squared length lies."""
    tall = rows.shape[0] >= rows.shape[1]
    values, vectors = torch.linalg.eigh(rows.T @ rows if tall else rows @ rows.T)
    values = values.flip(0).clamp(min=0)
    outside = 1 - values.cumsum(0) / values.sum()
    count = int((outside > lost).sum()) + 1
    leading = vectors.flip(1)[:, :count]
    return leading if tall else rows.T @ leading / values[:count].sqrt()
