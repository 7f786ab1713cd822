"""Canvas: backgrounds and drawings painted into images, many at a time."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.drawings.layout import CANVAS, SceneLayouts

PATCH = 60
"""Width in pixels of the square a drawing is painted in: the largest one, turned, fits."""
TINT_COLOURS = np.array([[0, 0, 0], [225, 30, 30], [25, 175, 40], [40, 70, 230]], np.float32)
TINT_STRENGTH = 0.5
OPAQUE = 0.3
"""Opacity from which a pixel counts as part of a drawing in its box."""
FRAGMENTS, FRAGMENT = 4, 14
"""Most fragments of other drawings in a background, and their width in pixels."""
WAVES = 2


class Painter:
    """Paints layouts with the drawings of a bank, each kept in two sizes so that small ones are not jagged."""

    def __init__(self, bank: Drawings) -> None:
        self.bank = bank
        pixels = torch.from_numpy(bank.pixels).permute(0, 3, 1, 2)
        self.full = pixels
        self.half = functional.avg_pool2d(_premultiplied(pixels), 2)

    def images(self, layouts: SceneLayouts) -> UInt8[np.ndarray, "images height width 3"]:
        """Each image's pixels."""
        canvas = self.backgrounds(layouts.chances)
        patches = self.patches(layouts)
        left, top = (edge.tolist() for edge in _corners(layouts))
        for image, patch, x, y in zip(layouts.image, patches, left, top, strict=True):
            _paint(canvas[image], patch, x, y)
        return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)

    def boxes(self, layouts: SceneLayouts) -> Float[np.ndarray, "drawings 4"]:
        """The box of each drawing as if nothing covered it: left, top, right, bottom in pixels."""
        opaque = self.patches(layouts)[..., 3] > OPAQUE
        left, top = _corners(layouts)
        boxes = np.stack([_extent(opaque, axis) for axis in (1, 2)], axis=1)
        x, y = boxes[:, 0] + left[:, None], boxes[:, 1] + top[:, None]
        found = np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)
        return np.clip(found, 0, CANVAS).astype(np.float32)

    def patches(self, layouts: SceneLayouts) -> Float[np.ndarray, "drawings size size 4"]:
        """Each drawing turned, sized and tinted: colour times opacity in 0..255, and opacity in 0..1."""
        left, top = _corners(layouts)
        middle = PATCH / 2
        shift = np.stack([layouts.x - left - middle, layouts.y - top - middle], axis=1)
        theta = torch.from_numpy(_affine(layouts.width, layouts.turn, shift).astype(np.float32))
        grid = functional.affine_grid(theta, [len(theta), 4, PATCH, PATCH], align_corners=False)
        patches = torch.empty(len(theta), PATCH, PATCH, 4)
        rows = torch.from_numpy(layouts.drawing)
        small = torch.from_numpy(layouts.width < self.bank.pixels.shape[1] / 2)
        for chosen, sprites in ((small, self.half), (~small, self.full)):
            if chosen.any():
                drawn = sprites[rows[chosen]]
                drawn = drawn if sprites is self.half else _premultiplied(drawn)
                sampled = functional.grid_sample(drawn, grid[chosen], align_corners=False)
                patches[chosen] = sampled.permute(0, 2, 3, 1)
        return _tinted(patches.numpy(), layouts.tint)

    def backgrounds(self, chances: Float[np.ndarray, "n chances"]) -> Float[np.ndarray, "n height width 3"]:
        """Gradients with waves and fragments of drawings, determined by ``chances`` 33 to 63."""
        canvas = _gradients(chances[:, 33:47].astype(np.float32))
        self._add_fragments(canvas, chances[:, 47:64])
        return canvas

    def _add_fragments(self, canvas: np.ndarray, chances: Float[np.ndarray, "n 17"]) -> None:
        count = (chances[:, 0] * (FRAGMENTS + 1)).astype(np.int64)
        image, number = np.nonzero(np.arange(FRAGMENTS) < count[:, None])
        values = chances[:, 1:].reshape(-1, FRAGMENTS, 4)[image, number]
        span = self.bank.pixels.shape[1] - FRAGMENT
        rows = (values[:, 0] * len(self.bank)).astype(np.int64)
        # The cut is off centre: a fragment must not show what its drawing does.
        cuts = (values[:, 1] * span).astype(np.int64), (values[:, 1] * 7 % 1 * span).astype(np.int64)
        places = (values[:, 2:] * (CANVAS - FRAGMENT)).astype(np.int64)
        for own, row, y, x, (left, top) in zip(image, rows, *cuts, places, strict=True):
            pixels = self.bank.pixels[row, y : y + FRAGMENT, x : x + FRAGMENT].astype(np.float32)
            pixels[..., 3:] /= 255
            pixels[..., :3] *= pixels[..., 3:]
            _paint(canvas[own], pixels, int(left), int(top))


def _premultiplied(pixels: Tensor) -> Float[Tensor, "n 4 size size"]:
    """Colours times opacity in 0..255, and opacity in 0..1."""
    opacity = pixels[:, 3:].float() / 255
    return torch.cat([pixels[:, :3].float() * opacity, opacity], dim=1)


def _corners(layouts: SceneLayouts) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The left and top edge of each drawing's patch on the canvas."""
    return tuple(np.floor(place - PATCH / 2).astype(np.int64) for place in (layouts.x, layouts.y))  # type: ignore[return-value]


def _affine(
    width: Float[np.ndarray, " n"], turn: Float[np.ndarray, " n"], shift: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n 2 3"]:
    """From places in a patch to places in a drawing, both in -1..1."""
    scale = PATCH / width
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    move = shift / (PATCH / 2)
    return np.stack(
        [
            np.stack([cos, sin, -(cos * move[:, 0] + sin * move[:, 1])], axis=1),
            np.stack([-sin, cos, -(-sin * move[:, 0] + cos * move[:, 1])], axis=1),
        ],
        axis=1,
    )


def _tinted(patches: Float[np.ndarray, "n size size 4"], tint: Int[np.ndarray, " n"]) -> np.ndarray:
    """Patches with a tint's colour mixed in; its brightness follows the drawing's, so shapes stay visible."""
    rows = np.flatnonzero(tint)
    chosen = patches[rows]
    grey = chosen[..., :3].mean(-1, keepdims=True) / 255
    opacity = chosen[..., 3:]
    colour = TINT_COLOURS[tint[rows]][:, None, None] * (0.45 * opacity + 0.55 * grey)
    colour += 60 * np.maximum(grey - 0.5 * opacity, 0)
    patches[rows, ..., :3] = (1 - TINT_STRENGTH) * chosen[..., :3] + TINT_STRENGTH * colour
    return patches


def _gradients(chances: Float[np.ndarray, "n 14"]) -> Float[np.ndarray, "n height width 3"]:
    """Two colours mixed along a direction, with waves."""
    first, second = 60 + 195 * chances[:, None, None, 0:3], 60 + 195 * chances[:, None, None, 3:6]
    axis = np.linspace(-1, 1, CANVAS, dtype=np.float32)
    x, y = _along(chances[:, 6], axis)
    canvas = first + (second - first) * (0.5 + 0.3535 * (x[:, None, :] + y[:, :, None]))[..., None]
    for wave in range(WAVES):
        angle, pitch, strength = chances[:, 7 + 3 * wave : 10 + 3 * wave].T
        x, y = (place * (3 + 30 * pitch[:, None]) for place in _along(angle, axis))
        # sin(x + y) from the sines and cosines of each axis: a hundredth of the calls.
        ripple = np.sin(x)[:, None, :] * np.cos(y)[:, :, None] + np.cos(x)[:, None, :] * np.sin(y)[:, :, None]
        canvas += ripple[..., None] * (30 * strength**2)[:, None, None, None]
    return canvas


def _along(
    angle: Float[np.ndarray, " n"], axis: Float[np.ndarray, " size"]
) -> tuple[Float[np.ndarray, "n size"], Float[np.ndarray, "n size"]]:
    """What each column and each row contribute to a place's distance along a direction."""
    turn = 2 * np.pi * angle[:, None]
    return np.cos(turn) * axis, np.sin(turn) * axis


def _paint(canvas: np.ndarray, patch: np.ndarray, left: int, top: int) -> None:
    """Lay a patch over one image, in place."""
    x, y = max(left, 0), max(top, 0)
    right, bottom = min(left + patch.shape[1], CANVAS), min(top + patch.shape[0], CANVAS)
    inside = patch[y - top : bottom - top, x - left : right - left]
    canvas[y:bottom, x:right] *= 1 - inside[..., 3:]
    canvas[y:bottom, x:right] += inside[..., :3]


def _extent(opaque: Bool[np.ndarray, "n size size"], axis: int) -> Int[np.ndarray, "n 2"]:
    """The first column (axis 1) or row (axis 2) with an opaque pixel, and one past the last."""
    line = np.asarray(opaque.any(axis))
    return np.stack([line.argmax(1), line.shape[1] - line[:, ::-1].argmax(1)], axis=1)
