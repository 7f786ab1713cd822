"""Heat: how much each token of an item answers a query, by the codes both stand for or by their projected vectors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def agreement(
    log_codes: Float[np.ndarray, "tokens codes"], query: Float[np.ndarray, " codes"]
) -> Float[np.ndarray, " tokens"]:
    """``Σ_v √(P(v | h) Q(v))``: how alike a token's code distribution and the query's are, 0 to 1.

    ``log_codes`` are logarithms, ``query`` the distribution itself.
    """
    return np.exp(log_codes / 2) @ np.sqrt(query)


def similarity(
    tokens: Float[np.ndarray, "tokens dim"], query: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, " tokens"]:
    """Cosine of each projected token to the query's."""
    lengths = np.linalg.norm(tokens, axis=1) * np.linalg.norm(query)
    return tokens @ query / np.maximum(lengths, 1e-12)
