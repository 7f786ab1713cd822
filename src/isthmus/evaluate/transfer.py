"""Transfer of codes: a classifier of one modality's code use, tested on another modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

INVERSE_PENALTY = 10.0


@dataclass(frozen=True)
class Events:
    """Parts of items: the distribution of their tokens over codes, and what they show."""

    uses: Float[np.ndarray, "events codes"]
    labels: Int[np.ndarray, " events"]

    def __len__(self) -> int:
        return len(self.labels)


def events(
    codes: Int[np.ndarray, " tokens"],
    labels: Int[np.ndarray, " tokens"],
    offsets: Int[np.ndarray, " items_and_one"],
    size: int,
) -> Events:
    """Runs of equally labelled tokens within an item, as events; tokens with labels below 0 are left out."""
    first = np.ones(len(codes), dtype=bool)
    first[1:] = labels[1:] != labels[:-1]
    first[offsets[:-1]] = True
    run = np.cumsum(first) - 1
    counts = np.bincount(run * size + codes, minlength=(run[-1] + 1) * size).reshape(-1, size)
    known = labels[first] >= 0
    return Events((counts / counts.sum(1, keepdims=True))[known], labels[first][known])


def fit_head(training: Events) -> LogisticRegression:
    """A linear classifier of one modality's events; its ``score`` on another modality is the accuracy of transfer."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(training.uses, training.labels)
