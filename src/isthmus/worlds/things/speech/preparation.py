"""How a recording is kept: one channel at 16 kHz, without silence at its ends, at one level."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

RATE = 16000
"""Samples per second of every recording."""
STEP = RATE // 200
"""Samples over which the power is averaged to find the ends: 5 ms."""
SILENT = 0.01
"""An end is silent where the amplitude is below this share of that of the loudest moment."""
MARGIN = 2 * STEP
"""Samples kept before and after what is heard: 10 ms."""
LEVEL = 0.07
"""Root mean square of what is heard: -23 dB of full scale."""
PEAK = 0.7
"""Highest amplitude; a recording with higher peaks at `LEVEL` is kept quieter."""


def prepared(samples: Float[np.ndarray, " samples"]) -> Float32[np.ndarray, " kept"]:
    """Trim the silent ends of a recording and bring it to the common level.

    Args:
        samples: One channel at 16 kHz.

    Returns:
        The part that is heard with 10 ms at either end, where there is that much. Empty if nothing is heard.

    Example:
        >>> import numpy as np
        >>> silence = np.zeros(16000)
        >>> len(prepared(np.concatenate([silence, np.sin(np.arange(8000)), silence])))
        8320
    """
    amplitude = _amplitude(samples)
    heard = np.flatnonzero(amplitude > SILENT * amplitude.max(initial=0))
    if not len(heard):
        return np.zeros(0, np.float32)
    first, last = heard[0] * STEP, (heard[-1] + 1) * STEP
    loudness = np.sqrt(np.mean(np.square(amplitude[heard])))
    kept = samples[max(0, first - MARGIN) : last + MARGIN]
    return (kept * min(LEVEL / loudness, PEAK / np.abs(kept).max())).astype(np.float32)


def _amplitude(samples: Float[np.ndarray, " samples"]) -> Float[np.ndarray, " steps"]:
    """The root mean square of every step, the last one filled with silence."""
    steps = np.pad(samples, (0, -len(samples) % STEP)).reshape(-1, STEP)
    return np.sqrt(np.mean(np.square(steps, dtype=np.float64), axis=1))
