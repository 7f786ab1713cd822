"""Layouts of images: where each drawing of a scene lies, how large and turned it is, and what lies behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.worlds.things.scenes import MAX_COUNT, MAX_GROUPS, Scenes

CANVAS = 96
"""Width and height of an image in pixels."""
CHANCES = 64
"""Numbers in 0..1 that determine the layout and the background of one image."""
SMALLEST, LARGEST = (31.0, 23.0, 43.0), (37.0, 27.0, 49.0)
"""Range of the width of a drawing in pixels by size: none named, small, large."""
CENTRES = (
    ((30.0, 66.0),),
    ((16.0, 40.0), (56.0, 80.0)),
    ((13.0, 27.0), (41.0, 55.0), (69.0, 83.0)),
)
"""Range of each group's horizontal place in pixels, by number of groups."""
TOP, BOTTOM = 20.0, 76.0
TURN = 0.25
"""Largest turn of a drawing in radians."""
LEANING = 0.6
"""How far from upright, in radians, the drawings of one group may be lined up: groups stay left and right."""
FRONT = 10.0
"""How many pixels wider a drawing may be than one that it covers."""
SPREAD = 0.85
"""Distance of neighbours in a group, in widths of a drawing: they may overlap a little."""


@dataclass(frozen=True)
class SceneLayouts:
    """The drawings of many images, one row each, from back to front.

    ``image`` says which image a drawing belongs to, ``drawing`` is its row in the bank, ``x`` and ``y`` are its
    centre, ``width`` its size in pixels, ``turn`` its angle in radians and ``tint`` its colour. ``chances`` hold one
    row per image, which its background is made from.
    """

    image: Int[np.ndarray, " drawings"]
    drawing: Int[np.ndarray, " drawings"]
    x: Float[np.ndarray, " drawings"]
    y: Float[np.ndarray, " drawings"]
    width: Float[np.ndarray, " drawings"]
    turn: Float[np.ndarray, " drawings"]
    tint: Int[np.ndarray, " drawings"]
    chances: Float[np.ndarray, "images chances"]


def lay_out(
    scenes: Scenes, drawing_of: Int[np.ndarray, "n 3"], chances: Float[np.ndarray, "n chances"]
) -> SceneLayouts:
    """The layout of each scene.

    Args:
        scenes: The scenes.
        drawing_of: The row in the bank of each group's drawing.
        chances: `CHANCES` numbers in 0..1 for each scene; they determine everything that is free.
    """
    group = _groups(scenes, chances)
    member = np.arange(MAX_COUNT)
    # (n, groups, members): a line of drawings through the group's centre.
    along = (member - (scenes.count[..., None] - 1) / 2) * (SPREAD * group["width"])[..., None]
    angle = np.pi / 2 + group["lean"]
    x = group["x"][..., None] + along * np.cos(angle)[..., None]
    y = group["y"][..., None] + along * np.sin(angle)[..., None]
    turn = (2 * chances[:, 15:24].reshape(-1, MAX_GROUPS, MAX_COUNT) - 1) * TURN
    margin = group["width"][..., None] / 2 - 4
    image, place, number = np.nonzero(member < scenes.count[..., None])
    depth = chances[image, 24 + 3 * place + number]
    # Small drawings in front: none is hidden altogether.
    order = np.lexsort((FRONT * depth - group["width"][image, place], image))
    at = image[order], place[order], number[order]
    return SceneLayouts(
        at[0],
        drawing_of[at[:2]],
        np.clip(x, margin, CANVAS - margin)[at],
        np.clip(y, margin, CANVAS - margin)[at],
        group["width"][at[:2]],
        turn[at],
        scenes.tint[at[:2]],
        chances,
    )


def _groups(scenes: Scenes, chances: Float[np.ndarray, "n chances"]) -> dict[str, Float[np.ndarray, "n 3"]]:
    """Centre, width of drawings and direction of the line of each group."""
    low, high = (np.full((MAX_GROUPS, MAX_GROUPS), CANVAS / 2) for _ in range(2))
    for row, ranges in enumerate(CENTRES):
        low[row, : row + 1], high[row, : row + 1] = np.array(ranges).T
    row = scenes.present.sum(1) - 1
    x, y, size, lean = (chances[:, start : start + MAX_GROUPS] for start in (0, 3, 6, 9))
    smallest, largest = np.array(SMALLEST)[scenes.size], np.array(LARGEST)[scenes.size]
    return {
        "x": low[row] + x * (high - low)[row],
        "y": TOP + y * (BOTTOM - TOP),
        "width": smallest + size * (largest - smallest),
        "lean": (2 * lean - 1) * LEANING,
    }
