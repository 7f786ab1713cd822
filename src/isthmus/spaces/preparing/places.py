"""Where tokens lie: which part of a picture an encoder sees, and how its grid divides it."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32


def region_seen(processor: Any, width: int, height: int) -> Float32[np.ndarray, " 4"]:
    """Left, top, right, bottom in pixels of the original: all of it, or what a centre crop leaves."""
    shortest = (getattr(processor, "size", None) or {}).get("shortest_edge")
    crop = getattr(processor, "crop_size", None)
    if not getattr(processor, "do_center_crop", False) or not shortest or not crop:
        return np.array([0, 0, width, height], np.float32)
    scale = shortest / min(width, height)
    across, down = crop["width"] / scale, crop["height"] / scale
    left, top = (width - across) / 2, (height - down) / 2
    return np.array([left, top, left + across, top + down], np.float32)


def grid_boxes(region: Float32[np.ndarray, " 4"], rows: int, columns: int) -> Float32[np.ndarray, "cells 4"]:
    """The boxes of a grid of so many rows and columns over a region, row by row."""
    left, top, right, bottom = region
    across = np.linspace(left, right, columns + 1)
    down = np.linspace(top, bottom, rows + 1)
    boxes = [
        (across[column], down[row], across[column + 1], down[row + 1])
        for row in range(rows)
        for column in range(columns)
    ]
    return np.array(boxes, np.float32)


def time_steps(span: Float32[np.ndarray, " 2"], steps: int) -> Float32[np.ndarray, "steps 2"]:
    """A span of time in so many equal steps."""
    edges = np.linspace(span[0], span[1], steps + 1, dtype=np.float32)
    return np.stack([edges[:-1], edges[1:]], 1)
