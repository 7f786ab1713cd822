"""Transfer of codes: a classifier of one modality's code use, tested on another modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from isthmus.evaluate.token_labels import LabelledTokens

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


def events(codes: Int[np.ndarray, " tokens"], shown: LabelledTokens, size: int) -> Events:
    """The parts of items (`LabelledTokens.parts`) as events; tokens without a label are left out."""
    labels, part = shown.labels(), shown.parts()
    _, first, part = np.unique(part, return_index=True, return_inverse=True)
    counts = np.bincount(part * size + codes, minlength=len(first) * size).reshape(-1, size)
    known = labels[first] >= 0
    return Events((counts / counts.sum(1, keepdims=True))[known], labels[first][known])


def fit_head(training: Events) -> LogisticRegression:
    """A linear classifier of one modality's events; its ``score`` on another modality is the accuracy of transfer."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(training.uses, training.labels)
