"""Localization: how well the place that was found covers the true one (cIoU), over many items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError

SUCCESS = 0.5
"""The cIoU at which the papers count an item as localized; 0.3 for MUSIC-Duet."""
AUC_STEPS = 20
ROUNDING = 1e-9
"""A map whose values differ by a smaller share than this is constant."""


@dataclass(frozen=True)
class LocalizationScores:
    """Localization figures over all items, those whose annotation covers nothing included: they cannot succeed.

    Attributes:
        success: Share of items whose cIoU reaches the threshold, in [0, 1]: the "cIoU" of the papers' tables.
        auc: Area under the success rate over thresholds from 0 to 1, in [0, 1].
        mean_ciou: Mean cIoU, in [0, 1]. The papers do not report it.
        items: Number of items.
        without_truth: Number of items whose truth covers no pixel.
    """

    success: float
    auc: float
    mean_ciou: float
    items: int
    without_truth: int


def median_mask(heat: Float[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The half of a heat map that is at or above its own median, as the papers threshold heat maps.

    ``p = [heat ≥ sorted(heat)[⌊n/2⌋]]``. Scale and offset do not matter, so min-max normalization before it changes
    nothing. Without ties exactly half of the pixels are in the mask, which bounds cIoU at ``2a`` where the truth covers
    the share a < ½ of the image. A constant map gives the whole image.

    Args:
        heat: A heat map at the size of the truth, higher where the source is.

    Returns:
        The predicted mask.

    Raises:
        IsthmusError: A value is not finite, or the map has only two values: it is a mask already, and its median would
            usually be the lower one, which selects the whole image.

    Example:
        >>> median_mask(np.array([[0.1, 0.2], [0.7, 0.4]])).tolist()
        [[False, False], [True, True]]
    """
    if not np.isfinite(heat).all():
        raise IsthmusError("the heat map has values that are not finite: check the embeddings it was made from")
    values = np.sort(heat, axis=None)
    if values[-1] - values[0] <= ROUNDING * np.abs(values[[0, -1]]).max():
        return np.ones(heat.shape, dtype=bool)
    if ((values == values[0]) | (values == values[-1])).all():
        raise IsthmusError("the heat map has only two values, so it is a mask: pass heat > heat.min() to ciou instead")
    return np.asarray(heat >= values[len(values) // 2])


def ciou(predicted: Bool[np.ndarray, "height width"], truth: Float[np.ndarray, "height width"]) -> float:
    """Consensus intersection over union of a predicted mask p with a truth g of weights from 0 to 1.

    ``cIoU = Σ p·g / (Σ g + Σ p·[g = 0])``. With weights of 0 and 1 it is the intersection over union. A pixel that some
    annotators chose costs nothing if it is predicted, and g if it is not.

    Args:
        predicted: What was found.
        truth: The weight of each pixel; see `isthmus.metrics.box_mask` and `isthmus.metrics.consensus`.

    Returns:
        From 0 to 1; 0 if the truth covers nothing, whatever is predicted.

    Example:
        >>> float(ciou(np.array([[True, True, True]]), np.array([[1.0, 0.5, 0.0]])))
        0.6
    """
    if predicted.shape != truth.shape:
        raise IsthmusError(f"the mask has shape {predicted.shape}, the truth {truth.shape}: make them at one size")
    union = truth.sum() + (predicted & (truth == 0)).sum()
    return float(truth[predicted].sum() / union) if union > 0 else 0.0


def success_rate(cious: Float[np.ndarray, " items"], threshold: float = SUCCESS) -> float:
    """The share of items whose cIoU is at least ``threshold``. This is what tables call cIoU.

    Example:
        >>> success_rate(np.array([0.2, 0.5, 0.9, 0.6]))
        0.75
    """
    return float((_checked(cious) >= threshold).mean())


def success_auc(cious: Float[np.ndarray, " items"]) -> float:
    """Area under the success rate by the trapezoidal rule over the thresholds 0, 0.05, …, 1.

    At the threshold 0 every item succeeds, so items that all fail still score 1/40.

    Example:
        >>> round(success_auc(np.array([0.0, 1.0])), 4)
        0.5125
    """
    steps = np.arange(AUC_STEPS + 1) / AUC_STEPS
    rates = (_checked(cious)[:, None] >= steps).mean(0)
    return float((rates[:-1] + rates[1:]).sum() / (2 * AUC_STEPS))


def localization_scores(
    cious: Float[np.ndarray, " items"],
    with_truth: Bool[np.ndarray, " items"] | None = None,
    threshold: float = SUCCESS,
) -> LocalizationScores:
    """Success rate and AUC over items.

    Args:
        cious: The cIoU of each item.
        with_truth: Which items have a truth that covers a pixel; by default all. The others keep their cIoU of 0 and
            are counted.
        threshold: The cIoU of a success.

    Raises:
        IsthmusError: There are no items, a cIoU is outside [0, 1], or an item without truth has one above 0.

    Example:
        >>> localization_scores(np.array([0.6, 0.4, 0.0]), np.array([True, True, False])).success
        0.3333333333333333
    """
    covered = np.ones(len(cious), dtype=bool) if with_truth is None else with_truth
    if len(covered) != len(cious) or (np.asarray(cious)[~covered] > 0).any():
        raise IsthmusError("with_truth does not fit the items: pass one value each, False only where the cIoU is 0")
    return LocalizationScores(
        success=success_rate(cious, threshold),
        auc=success_auc(cious),
        mean_ciou=float(np.mean(cious)),
        items=len(cious),
        without_truth=int((~covered).sum()),
    )


def class_aware_ciou(
    cious: Float[np.ndarray, "items classes"], sounding: Bool[np.ndarray, "items classes"]
) -> Float[np.ndarray, " items"]:
    """One cIoU per item with several sources, such as a duet: ``CIoU = Σ_k δ_k cIoU_k / Σ_k δ_k``.

    Each source is looked for by itself and compared with its own box (Hu et al., *Discriminative Sounding Objects
    Localization*, NeurIPS 2020), so a map that shows both sources gets neither right. δ_k says whether source k sounds;
    what was found for silent classes does not count.

    Args:
        cious: The cIoU of each source; any value where δ is 0.
        sounding: δ, which sources sound in which item.

    Returns:
        The mean over each item's sources; `success_rate` and `success_auc` take it.

    Raises:
        IsthmusError: An item has no source.

    Example:
        >>> class_aware_ciou(np.array([[0.5, 1.0, 0.0]]), np.array([[True, True, False]])).tolist()
        [0.75]
    """
    silent = np.flatnonzero(~sounding.any(1))
    if len(silent):
        raise IsthmusError(f"item {silent[0]} has no sounding source: score it as a negative, by detection_scores")
    return np.asarray(np.where(sounding, cious, 0).sum(1) / sounding.sum(1))


def _checked(cious: Float[np.ndarray, " items"]) -> Float[np.ndarray, " items"]:
    if not len(cious):
        raise IsthmusError("there are no items to score: check that media and annotations were found")
    if not ((cious >= 0) & (cious <= 1)).all():
        raise IsthmusError("a cIoU is not between 0 and 1: pass one per item, as ciou computes them")
    return cious
