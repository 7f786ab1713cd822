"""Detection: does a confidence tell images that show the source of a sound, found in the right place, from others?

The task has positives (the source is visible) and negatives (it is silent, or out of sight). At a confidence t, a
positive of at least t is a true positive if its cIoU reaches ½ and a false positive otherwise; a positive below t is a
false negative; a negative of at least t is a false positive (Mo and Morgado, SLAVC, NeurIPS 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.metrics.localization import SUCCESS, success_rate


@dataclass(frozen=True)
class DetectionCurve:
    """Precision and recall at every distinct confidence, from the highest to the lowest.

    Recall is ``TP / (TP + FN)``. A positive that is detected in the wrong place is no false negative, so recall ends at
    1 even if most places are wrong; precision pays for them.
    """

    thresholds: Float[np.ndarray, " thresholds"]
    precision: Float[np.ndarray, " thresholds"]
    recall: Float[np.ndarray, " thresholds"]


@dataclass(frozen=True)
class DetectionScores:
    """Figures of the counterfactual task, each in [0, 1].

    Attributes:
        ap: Localization-aware average precision.
        max_f1: The highest F1 of any threshold.
        loc_acc: Share of positives whose cIoU reaches ½, whatever their confidence.
        positives: Number of positives.
        negatives: Number of negatives.
    """

    ap: float
    max_f1: float
    loc_acc: float
    positives: int
    negatives: int


def detection_curve(
    confidences: Float[np.ndarray, " items"],
    cious: Float[np.ndarray, " items"],
    positive: Bool[np.ndarray, " items"],
    threshold: float = SUCCESS,
) -> DetectionCurve:
    """Precision ``TP / (TP + FP)`` and recall ``TP / (TP + FN)`` at every confidence that occurs.

    Args:
        confidences: How sure it is that the source is in the image; higher is surer. Equal ones count together.
        cious: The cIoU of each positive; those of negatives are not looked at and may be NaN.
        positive: Which items are positives.
        threshold: The cIoU of the right place.

    Raises:
        IsthmusError: The lengths differ, there is no positive, a confidence is not finite or a positive has no cIoU.

    Example:
        >>> curve = detection_curve(np.array([0.9, 0.8, 0.7]), np.array([1.0, 0.2, 0.0]), np.array([True, True, False]))
        >>> curve.precision.round(2).tolist(), curve.recall.tolist()
        ([1.0, 0.5, 0.33], [0.5, 1.0, 1.0])
    """
    _check(confidences, cious, positive)
    order = np.argsort(-confidences, kind="stable")
    right = positive & (np.where(positive, cious, 0) >= threshold)
    last = np.flatnonzero(np.append(np.diff(confidences[order]) != 0, True))
    detected = last + 1
    found = np.cumsum(right[order])[last]
    missed = positive.sum() - np.cumsum(positive[order])[last]
    recall = np.divide(found, found + missed, out=np.zeros(len(last)), where=found > 0)
    return DetectionCurve(confidences[order][last], found / detected, recall)


def detection_scores(
    confidences: Float[np.ndarray, " items"],
    cious: Float[np.ndarray, " items"],
    positive: Bool[np.ndarray, " items"],
    threshold: float = SUCCESS,
) -> DetectionScores:
    """AP, maximal F1 and LocAcc over all thresholds.

    ``AP = Σ_i (r_i − r_{i−1}) max_{j ≥ i} p_j`` over falling thresholds with ``r_0 = 0``. Confidences that say nothing
    get ``q·P / (P + N)``, those that put every positive before every negative get q, where q is LocAcc.

    Args:
        confidences: As for `detection_curve`.
        cious: As for `detection_curve`.
        positive: As for `detection_curve`.
        threshold: As for `detection_curve`.

    Raises:
        IsthmusError: As `detection_curve`.

    Example:
        >>> scores = detection_scores(
        ...     np.array([0.9, 0.8, 0.7]), np.array([1.0, 0.6, 0.0]), np.array([True, True, False])
        ... )
        >>> scores.ap, scores.max_f1, scores.loc_acc
        (1.0, 1.0, 1.0)
    """
    curve = detection_curve(confidences, cious, positive, threshold)
    best_after = np.maximum.accumulate(curve.precision[::-1])[::-1]
    ap = float((np.diff(curve.recall, prepend=0.0) * best_after).sum())
    return _scores(ap, _f1(curve.precision, curve.recall), cious, positive, threshold)


def published_detection_scores(
    confidences: Float[np.ndarray, " items"],
    cious: Float[np.ndarray, " items"],
    positive: Bool[np.ndarray, " items"],
    threshold: float = SUCCESS,
) -> DetectionScores:
    """The same figures by the protocol of the benchmark's public code, only to compare with figures made by it.

    It takes about 200 of the confidences for AP, without the highest, and about 10 for F1; AP is
    ``Σ_i (r_{i+1} − r_i) max_{j ≥ i} p_j``, which leaves out the recall of its first threshold. So equal confidences
    score 0, and on few items AP is too low. Use `detection_scores` for all else.

    Args:
        confidences: As for `detection_curve`.
        cious: As for `detection_curve`.
        positive: As for `detection_curve`.
        threshold: As for `detection_curve`.

    Raises:
        IsthmusError: As `detection_curve`.
    """
    curve = detection_curve(confidences, cious, positive, threshold)
    rising = np.sort(confidences)
    few = _at(curve, rising[:-1][:: -max(1, len(rising) // 200)])
    best_after = np.maximum.accumulate(few.precision[::-1])[::-1]
    ap = float((np.diff(few.recall) * best_after[:-1]).sum())
    fewer = _at(curve, rising[:: max(1, len(rising) // 10)])
    return _scores(ap, _f1(fewer.precision, fewer.recall), cious, positive, threshold)


def _at(curve: DetectionCurve, thresholds: Float[np.ndarray, " some"]) -> DetectionCurve:
    """The curve at some of its thresholds, in the order given."""
    rows = len(curve.thresholds) - 1 - np.searchsorted(curve.thresholds[::-1], thresholds)
    return DetectionCurve(thresholds, curve.precision[rows], curve.recall[rows])


def _f1(precision: Float[np.ndarray, " thresholds"], recall: Float[np.ndarray, " thresholds"]) -> float:
    total = precision + recall
    return float(np.divide(2 * precision * recall, total, out=np.zeros(len(total)), where=total > 0).max())


def _scores(
    ap: float, f1: float, cious: Float[np.ndarray, " items"], positive: Bool[np.ndarray, " items"], threshold: float
) -> DetectionScores:
    count = int(positive.sum())
    return DetectionScores(ap, f1, success_rate(cious[positive], threshold), count, len(positive) - count)


def _check(
    confidences: Float[np.ndarray, " items"], cious: Float[np.ndarray, " items"], positive: Bool[np.ndarray, " items"]
) -> None:
    sizes = len(confidences), len(cious), len(positive)
    if len(set(sizes)) > 1:
        raise IsthmusError(f"{sizes[0]} confidences, {sizes[1]} cIoUs and {sizes[2]} labels: pass one of each per item")
    if not positive.any():
        raise IsthmusError("there is no positive item, so recall is undefined: check media and annotations")
    if not np.isfinite(confidences).all():
        raise IsthmusError(f"the confidence of item {np.flatnonzero(~np.isfinite(confidences))[0]} is not finite")
    if np.isnan(cious[positive]).any():
        raise IsthmusError("a positive item has no cIoU: localize it, or count it as 0")
