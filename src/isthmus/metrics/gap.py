"""Geometry of a space: how far apart modalities lie."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def modality_gap(left: Float[np.ndarray, "n dim"], right: Float[np.ndarray, "m dim"]) -> float:
    """Distance between the means of two sets of unit rows (Liang et al., 2022); about 0.8 in CLIP."""
    return float(np.linalg.norm(left.mean(0) - right.mean(0)))
