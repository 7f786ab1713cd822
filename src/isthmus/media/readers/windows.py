"""Windows of a sound: fixed places of at most ten seconds, the same every time."""

from __future__ import annotations

import math

WINDOW_SECONDS = 10.0
MOST_WINDOWS = 12


def windows(duration: float) -> list[tuple[float, float]]:
    """Start and end of each window in seconds.

    Up to two minutes the windows are equally long, one after another, and cover everything; of a longer sound twelve
    windows of ten seconds are taken at even distances, the first at its start and the last at its end.
    """
    count = max(1, math.ceil(duration / WINDOW_SECONDS))
    if count <= MOST_WINDOWS:
        return [(duration * k / count, duration * (k + 1) / count) for k in range(count)]
    step = (duration - WINDOW_SECONDS) / (MOST_WINDOWS - 1)
    return [(step * k, step * k + WINDOW_SECONDS) for k in range(MOST_WINDOWS)]
