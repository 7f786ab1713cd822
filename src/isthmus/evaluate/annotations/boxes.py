"""Boxes of benchmarks, all as shares of width and height: corners in VGGSS, x-y-w-h in MUSIC, 256 pixels in Flickr."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.data import Box

ROUNDING = 1e-3
"""How far a side may lie outside the image before that is noted: fractions of pixels that were rounded."""
DEGENERATE = "box without an area"


def box_of_corners(sides: Sequence[float], account: Account, where: str) -> Box | None:
    """A box of left, top, right and bottom, cut to the image; None, and counted, if it has no area."""
    if len(sides) != 4 or not all(isinstance(side, Real) for side in sides):
        account.leave_out("box that is not four numbers", where)
        return None
    left, top, right, bottom = (float(side) for side in sides)
    if min(left, top) < -ROUNDING or max(right, bottom) > 1 + ROUNDING:
        account.noted["box cut to the image"] += 1
    box = Box(max(left, 0.0), max(top, 0.0), min(right, 1.0), min(bottom, 1.0))
    if not (box.right > box.left and box.bottom > box.top):
        account.leave_out(DEGENERATE, where)
        return None
    return box


def box_of_size(sides: Sequence[float], account: Account, where: str) -> Box | None:
    """A box of left, top, width and height."""
    if len(sides) == 4 and all(isinstance(side, Real) for side in sides):
        left, top, width, height = sides
        sides = (left, top, left + width, top + height)
    return box_of_corners(sides, account, where)
