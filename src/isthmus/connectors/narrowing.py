"""Narrowing: reduce a blend to the dimensions it needs.

The members of a blend are concatenated, each in its own joint space: thousands of dimensions, mostly redundant. A few
common directions preserve the blend's cosines, and vectors and indexes become a fraction of the size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.connectors.member import Member, RowProjection, blend_projection
from isthmus.connectors.overlap.centring import sample
from isthmus.connectors.overlap.materials import Materials

LOST = 1e-4
"""Share of the rows' squared length that may be lost, if the joint space may have that many dimensions."""
ROWS = 500
"""Rows of each modality from which the directions are computed, and other ones on which the loss is measured."""


@dataclass(frozen=True)
class Narrowed:
    """The directions to which a blend is reduced, and what that costs.

    Args:
        basis: ``(wide, joint)`` orthonormal directions.
        lost: Share of the squared length of rows that lies outside the directions, the mean over other rows of each
            modality. Cosines change by about this much.
    """

    basis: Float[Tensor, "wide joint"]
    lost: float

    def as_dict(self) -> dict[str, int | float]:
        """Plain data for ``config.json``."""
        return {"wide": self.basis.shape[0], "joint": self.basis.shape[1], "lost": round(self.lost, 5)}


def narrowed(
    members: tuple[Member, ...], weights: tuple[float, ...], materials: Materials, most: int | None = None
) -> Narrowed | None:
    """At most so many orthonormal directions that preserve a blend's cosines.

    ``None`` for a single member, unless it has more dimensions than that.
    """
    project = blend_projection(members, weights)
    if len(members) == 1 and (most is None or _dimensions(project, materials) <= most):
        return None
    used, others = [], []
    for number, side in enumerate((materials.left, materials.right)):
        for own in (side.overlap, *side.memories):
            used.append(project(sample(own, ROWS), number, own.modality))
            others.append(project(sample(own, 2 * ROWS)[1::2], number, own.modality))
    basis = leading_directions(torch.cat(used), LOST, most)
    return Narrowed(basis, 1 - (torch.cat(others) @ basis).square().sum(1).mean().item())


def _dimensions(project: RowProjection, materials: Materials) -> int:
    return project(sample(materials.left.overlap, 1), 0, materials.left.overlap.modality).shape[1]


def leading_directions(
    rows: Float[Tensor, "rows wide"], lost: float, most: int | None = None
) -> Float[Tensor, "wide joint"]:
    """The fewest orthonormal directions that lose at most a share ``lost`` of the rows' squared length, or ``most``."""
    tall = rows.shape[0] >= rows.shape[1]
    values, vectors = torch.linalg.eigh(rows.T @ rows if tall else rows @ rows.T)
    values = values.flip(0).clamp(min=0)
    outside = 1 - values.cumsum(0) / values.sum()
    count = min(int((outside > lost).sum()) + 1, most or len(values))
    leading = vectors.flip(1)[:, :count]
    return leading if tall else rows.T @ leading / values[:count].sqrt()
