"""Solids: images of digits made three-dimensional. Ink is extruded and rotated, and points are sampled in it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

POINTS = 512
DEPTH_PIXELS = 10.0
"""How thick the extruded digits are; a tile is 28 pixels high."""
YAW, PITCH, ROLL = 30.0, 20.0, 6.0
"""Largest rotations about the vertical, the horizontal and the viewing axis, in degrees."""


def sample_solids(
    images: UInt8[np.ndarray, "n height width"], rng: np.random.Generator
) -> Float32[np.ndarray, "n points 3"]:
    """Points of each image's extruded ink, randomly rotated, centred, and scaled so the farthest has distance 1.

    Pixels are drawn in proportion to their brightness; points are uniform within a pixel and the depth.
    """
    n, height, width = images.shape
    ink = np.cumsum(images.reshape(n, -1).astype(np.float64), axis=1)
    drawn = rng.random((n, POINTS)) * ink[:, -1:]
    pixel = np.stack([np.searchsorted(row, own) for row, own in zip(ink, drawn, strict=True)])
    jitter = rng.random((n, POINTS, 3))
    across = pixel % width + jitter[..., 0]
    up = height - (pixel // width + jitter[..., 1])
    depth = DEPTH_PIXELS * jitter[..., 2]
    placed = np.stack([across, up, depth], axis=-1)
    turned = (placed - placed.mean(1, keepdims=True)) @ rotations(n, rng).transpose(0, 2, 1)
    return (turned / np.linalg.norm(turned, axis=2).max(1)[:, None, None]).astype(np.float32)


def rotations(n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3 3"]:
    """Random rotations: about the viewing axis, then the horizontal, then the vertical one."""
    angles = np.deg2rad(rng.uniform(-1, 1, (3, n)) * np.array([[YAW], [PITCH], [ROLL]]))
    (yaw, pitch, roll), zero, one = angles, np.zeros(n), np.ones(n)
    about_y = _stacked([[np.cos(yaw), zero, np.sin(yaw)], [zero, one, zero], [-np.sin(yaw), zero, np.cos(yaw)]])
    about_x = _stacked([[one, zero, zero], [zero, np.cos(pitch), -np.sin(pitch)], [zero, np.sin(pitch), np.cos(pitch)]])
    about_z = _stacked([[np.cos(roll), -np.sin(roll), zero], [np.sin(roll), np.cos(roll), zero], [zero, zero, one]])
    return about_y @ about_x @ about_z


def _stacked(rows: list[list[np.ndarray]]) -> Float[np.ndarray, "n 3 3"]:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=1)


def as_grid(
    clouds: Float[Tensor, "n points 3"], columns: int, rows: int, layers: int
) -> Float[Tensor, "n layers rows columns"]:
    """The number of points in each cell of a grid over the clouds, as log(1 + count).

    The grid spans -1 to 1 along x, and the extent of digits along y and z.
    """
    sizes = torch.tensor([columns, rows, layers])
    reach = torch.tensor([1.0, 0.45, 0.6])
    cells = ((clouds / reach + 1) / 2 * sizes).long().clamp(torch.zeros(3, dtype=torch.long), sizes - 1)
    flat = (cells[..., 2] * rows + cells[..., 1]) * columns + cells[..., 0]
    counts = torch.zeros(len(clouds), layers * rows * columns).scatter_add_(1, flat, torch.ones(flat.shape))
    return counts.log1p().view(-1, layers, rows, columns).flip(2)
