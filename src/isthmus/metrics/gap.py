"""The modality gap: how far apart two modalities are in one space."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def modality_gap(left: Float[np.ndarray, "left dim"], right: Float[np.ndarray, "right dim"]) -> float:
    """Distance between the means of two modalities.

    Liang et al., "Mind the Gap", NeurIPS 2022, section 4. CLIP's image and text rows are about 0.8 apart.

    Args:
        left: Unit rows of one modality.
        right: Unit rows of the other.

    Returns:
        The Euclidean distance, in [0, 2] for unit rows.

    Example:
        >>> import numpy as np
        >>> modality_gap(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-1.0, 0.0], [0.0, 1.0]]))
        1.0
    """
    return float(np.linalg.norm(left.mean(0) - right.mean(0)))
