"""Segments: events on a time line as labels of its segments, and precision, recall and F1 of predicted labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool


class Event(NamedTuple):
    """What happens from ``start`` to ``end``, in seconds."""

    label: int
    start: float
    end: float


@dataclass(frozen=True)
class SegmentCounts:
    """Labels of segments that are right, that are predicted and that are true.

    Precision, recall and F1 over several items are those of the sum of their counts (micro average).

    Example:
        >>> both = SegmentCounts(3, 4, 6) + SegmentCounts(1, 1, 1)
        >>> both.precision, round(both.recall, 3), round(both.f1, 3)
        (0.8, 0.571, 0.667)
    """

    right: int = 0
    predicted: int = 0
    true: int = 0

    def __add__(self, other: SegmentCounts) -> SegmentCounts:
        return SegmentCounts(self.right + other.right, self.predicted + other.predicted, self.true + other.true)

    @property
    def precision(self) -> float:
        """Share of predicted labels that are right; 0 if nothing is predicted."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of true labels that are predicted; 0 if there are none."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (self.predicted + self.true) if self.predicted + self.true else 0.0


def segment_labels(events: Iterable[Event], segments: int, classes: int) -> Bool[np.ndarray, "segments classes"]:
    """Which classes each one-second segment shows; several events may overlap.

    Segment s lasts from s to s + 1. An event labels every segment it touches for longer than an instant; what lies
    beyond the last segment is cut.

    Args:
        events: Events of one item.
        segments: Number of segments.
        classes: Number of classes.

    Returns:
        One row per segment. A row without a class is background.

    Example:
        >>> segment_labels([Event(1, 0, 2), Event(0, 1.5, 9)], segments=3, classes=2).astype(int).tolist()
        [[0, 1], [1, 1], [1, 0]]
    """
    found = np.zeros((segments, classes), dtype=bool)
    for label, start, end in events:
        if end > start:
            found[max(0, int(np.floor(start))) : max(0, int(np.ceil(end))), label] = True
    return found


def segment_counts(
    predicted: Bool[np.ndarray, "segments classes"], true: Bool[np.ndarray, "segments classes"]
) -> SegmentCounts:
    """Count right, predicted and true labels of segments; background is the absence of labels and is not counted.

    Args:
        predicted: Predicted classes of each segment.
        true: True classes of each segment.

    Returns:
        The counts.

    Example:
        >>> import numpy as np
        >>> segment_counts(np.array([[True, True]]), np.array([[True, False]]))
        SegmentCounts(right=1, predicted=2, true=1)
    """
    return SegmentCounts(int((predicted & true).sum()), int(predicted.sum()), int(true.sum()))
