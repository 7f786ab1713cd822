"""Boxes and masks: where annotators say a thing is, as fractions of the image, and the pixels that this covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float64

from isthmus.base.errors import IsthmusError
from isthmus.base.options import require

BoxLayout = Literal["corners", "xywh"]
SIZE = (224, 224)
"""Rows and columns of the maps on which the papers compute cIoU."""


def corner_boxes(boxes: Sequence[Sequence[float | int]], layout: BoxLayout) -> Float64[np.ndarray, "boxes 4"]:
    """Boxes of an annotation file as corners.

    Nothing is repaired or left out: `has_area` says which boxes are degenerate.

    Args:
        boxes: One row per box, in fractions of the image's width and height.
        layout: What the four numbers are: ``"corners"`` (left, top, right, bottom; VGGSS) or ``"xywh"`` (left, top,
            width, height; MUSIC and AudioSet-Instrument).

    Returns:
        Left, top, right, bottom of each box, in fractions, as given.

    Raises:
        IsthmusError: A box has not four numbers, one of them is not finite, or the layout is unknown.

    Example:
        >>> corner_boxes([[0.25, 0.5, 0.5, 0.25]], "xywh").tolist()
        [[0.25, 0.5, 0.75, 0.75]]
    """
    require(layout in get_args(BoxLayout), "layout", f"one of {', '.join(get_args(BoxLayout))}", layout)
    wrong = next((row for row, box in enumerate(boxes) if len(box) != 4 or not np.isfinite(box).all()), None)
    if wrong is not None:
        raise IsthmusError(f"box {wrong} is {list(boxes[wrong])}, not four finite numbers: repair the annotation")
    found = np.array(boxes, np.float64).reshape(len(boxes), 4)
    if layout == "xywh":
        found[:, 2:] += found[:, :2]
    return found


def has_area(boxes: Float[np.ndarray, "boxes 4"]) -> Bool[np.ndarray, " boxes"]:
    """Which boxes, given as corners in fractions, have some area inside the image. The others are degenerate.

    Example:
        >>> has_area(np.array([[0.0, 0.0, 0.5, 0.5], [0.4, 0.8, 0.7, -2.9e16]])).tolist()
        [True, False]
    """
    inside = np.clip(boxes, 0, 1)
    return np.asarray((inside[:, 2:] > inside[:, :2]).all(1))


def box_mask(boxes: Float[np.ndarray, "boxes 4"], size: tuple[int, int] = SIZE) -> Bool[np.ndarray, "height width"]:
    """The union of boxes as pixels.

    A corner at the fraction x is the pixel ``int(width · max(x, 0))``, the last one excluded, as in the papers' code.
    A degenerate box covers nothing, and so does a box that begins and ends in the same pixel.

    Args:
        boxes: Left, top, right, bottom in fractions of the image.
        size: Rows and columns of the mask.

    Returns:
        True inside any box.

    Example:
        >>> box_mask(np.array([[0.25, 0.5, 0.75, 1.0]]), size=(2, 4)).astype(int).tolist()
        [[0, 0, 0, 0], [0, 1, 1, 0]]
    """
    height, width = size
    mask = np.zeros(size, dtype=bool)
    corners = np.clip(boxes, 0, 1) * np.array([width, height, width, height])
    for left, top, right, bottom in corners.astype(int):
        mask[top:bottom, left:right] = True
    return mask


def consensus(
    annotators: Bool[np.ndarray, "annotators height width"], agreeing: int = 2
) -> Float64[np.ndarray, "height width"]:
    """The consensus of several annotators: ``g = min(1, Σ_a g_a / agreeing)`` (Senocak et al., Flickr-SoundNet).

    Where one of two or three annotators sees the source alone, g is ½; where two do, it is 1.

    Args:
        annotators: One mask per annotator, as `box_mask` makes it from this annotator's boxes.
        agreeing: The number of annotators who have to agree for a weight of 1.

    Returns:
        Weights from 0 to 1.

    Example:
        >>> consensus(np.array([[[True, True, False]], [[True, False, False]], [[True, False, False]]])).tolist()
        [[1.0, 0.5, 0.0]]
    """
    return np.minimum(annotators.sum(0) / agreeing, 1.0)


def centre_box(side: float) -> Float64[np.ndarray, "1 4"]:
    """A box in the middle of the image: the trivial baseline. Its sides are ``side`` times the image's.

    Example:
        >>> centre_box(0.5).tolist()
        [[0.25, 0.25, 0.75, 0.75]]
    """
    return np.array([[0.5 - side / 2, 0.5 - side / 2, 0.5 + side / 2, 0.5 + side / 2]])
