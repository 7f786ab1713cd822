"""Windows: where in an image to look. Squares that cover it, and boxes of several sizes and shapes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

SCALES = (0.85, 0.6, 0.42, 0.3)
"""√(width · height) of windows, as shares of that of the image."""
SHAPES = (1.0, 0.5, 2.0)
"""Width divided by height."""
STEP = 0.5
"""How far windows of one size are apart, as a share of their sides."""


def covering_squares(width: int, height: int) -> Int[np.ndarray, "squares 4"]:
    """The fewest squares, as large as the image allows and evenly spaced, that cover it: left, top, right, bottom.

    Encoders see squares. Of an elongated image, their own preparation crops the ends or distorts the whole.

    Example:
        >>> covering_squares(160, 90).tolist()
        [[0, 0, 90, 90], [70, 0, 160, 90]]
    """
    side = min(width, height)
    lefts, tops = (np.rint(np.linspace(0, length - side, -(-length // side))) for length in (width, height))
    corners = np.array([(left, top) for top in tops for left in lefts], dtype=int)
    return np.hstack([corners, corners + side])


def multi_scale_windows(
    width: int, height: int, scales: tuple[float, ...] = SCALES, shapes: tuple[float, ...] = SHAPES
) -> Float[np.ndarray, "windows 4"]:
    """Windows of several sizes and shapes, half a window apart; the first is the whole image.

    Args:
        width: The image's width in pixels.
        height: Its height.
        scales: √(width · height) of the windows, as shares of that of the image.
        shapes: Width divided by height. A window that would be wider or taller than the image is as wide or tall.

    Returns:
        Left, top, right, bottom in pixels, without repetitions.
    """
    found = [(0.0, 0.0, float(width), float(height))]
    for scale in scales:
        for shape in shapes:
            side = scale * (width * height) ** 0.5
            wide, tall = min(side * shape**0.5, float(width)), min(side / shape**0.5, float(height))
            lefts, tops = _starts(float(width), wide), _starts(float(height), tall)
            found += [(left, top, left + wide, top + tall) for top in tops for left in lefts]
    return np.array(list(dict.fromkeys(found)))


def _starts(length: float, window: float) -> list[float]:
    """Where windows begin: evenly spaced, at most `STEP` of a window apart, the last one ending with the image."""
    count = 1 + int(np.ceil((length - window) / (STEP * window) - 1e-9))
    return [float(start) for start in np.linspace(0, length - window, count)]


def overlaps(box: Float[np.ndarray, " 4"], boxes: Float[np.ndarray, "boxes 4"]) -> Float[np.ndarray, " boxes"]:
    """Intersection over union of a box with each of several."""
    common = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.clip(common, 0, None).prod(1)
    return np.asarray(shared / ((box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1) - shared))
