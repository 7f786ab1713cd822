"""Boxes of annotation files: corners in VGGSS, left-top-width-height in MUSIC, pixels in Flickr-SoundNet."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.data import Corners
from isthmus.metrics.boxes import BoxLayout, corner_boxes, has_area

DEGENERATE = "box without an area"
NO_BOX = "frame without a box that has an area (it stays, and cannot be right)"


def boxes_of(
    sides: Sequence[Sequence[float | int]], layout: BoxLayout, account: Account, where: str
) -> tuple[Corners, ...]:
    """Boxes as corners in fractions of the image; those without an area inside it are left out and counted.

    Raises `IsthmusError` if a box is not four finite numbers.
    """
    corners = corner_boxes(sides, layout)
    kept = has_area(corners)
    for _ in range(len(corners) - int(kept.sum())):
        account.leave_out(DEGENERATE, where)
    if len(corners) and not kept.any():
        account.noted[NO_BOX] += 1
    return tuple((float(left), float(top), float(right), float(bottom)) for left, top, right, bottom in corners[kept])
