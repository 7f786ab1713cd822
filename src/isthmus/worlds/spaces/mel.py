"""Mel scale: filters on it, and frames made comparable between voices and microphones."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

DYNAMIC_RANGE = 9.0
"""Log power kept below the loudest (39 dB): below that, recordings differ by noise rather than by words."""


def mel_filters(
    bands: int, window: int, rate: int, lowest: float, highest: float, warp: float = 1.0
) -> Float[Tensor, "bands bins"]:
    """Triangular filters, equally spaced on the mel scale (2595 log10(1 + f / 700)).

    Args:
        bands: Number of filters.
        window: Samples per frame; the filters apply to its ``window // 2 + 1`` frequencies.
        rate: Samples per second.
        lowest: Where the first filter begins, in hertz.
        highest: Where the last one ends, in hertz.
        warp: Factor on the filters' frequencies, which simulates a vocal tract longer (above 1) or shorter (below 1)
            by that factor. No filter exceeds half the rate.
    """
    mel = np.linspace(_mel(lowest), _mel(highest), bands + 2)
    edges = np.minimum(warp * 700 * (10 ** (mel / 2595) - 1), rate / 2 - (bands + 1 - np.arange(bands + 2)))
    hertz = np.linspace(0, rate / 2, window // 2 + 1)
    rising = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, None).astype(np.float32))


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def levelled(
    frames: Float[Tensor, "batch frames bands"], valid: Bool[Tensor, "batch frames"]
) -> Float[Tensor, "batch frames bands"]:
    """Frames normalized per clip to reduce the influence of speaker and microphone; 0 in padding.

    Values far below the clip's loudest band are raised to one floor, the mean spectrum is subtracted, and the rest
    is scaled to unit variance over the clip.
    """
    mask = valid[..., None].to(frames.dtype)
    count = mask.sum(1, keepdim=True)
    loudest = frames.masked_fill(~valid[..., None], -torch.inf).amax((1, 2), keepdim=True)
    audible = frames.maximum(loudest - DYNAMIC_RANGE)
    centred = (audible - (audible * mask).sum(1, keepdim=True) / count) * mask
    variance = centred.square().sum((1, 2), keepdim=True) / (count * frames.shape[2])
    return centred * (variance + 1e-4).rsqrt()
