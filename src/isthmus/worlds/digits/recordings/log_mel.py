"""Log-mel features, framed within each recording so audio clips can be composed of them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from isthmus.worlds.digits.recordings.speech import HOP, RATE
from isthmus.worlds.spaces.mel import mel_filters

WINDOW = 256
BANDS = 32
LOWEST_HZ, HIGHEST_HZ = 60.0, 3400.0
FLOOR = 1e-5
SILENCE = float(np.log(FLOOR))
"""The value of every band in digital silence."""


def log_mel(
    samples: Float32[np.ndarray, " samples"], offset: Int[np.ndarray, " recordings_and_one"], warp: float = 1.0
) -> Float[Tensor, "frames bands"]:
    """Frames of all recordings in order: ``ceil(length / 128)`` each, with a window of 256 centred on the hop."""
    lengths = np.diff(offset)
    hops = -(-lengths // HOP)
    border = (WINDOW - HOP) // 2
    padded_length = hops * HOP + 2 * border
    first = np.cumsum(padded_length) - padded_length
    padded = np.zeros(int(padded_length.sum()), np.float32)
    source = np.arange(len(samples)) - np.repeat(offset[:-1], lengths)
    padded[np.repeat(first + border, lengths) + source] = samples
    starts = np.repeat(first, hops) + HOP * (np.arange(hops.sum()) - np.repeat(np.cumsum(hops) - hops, hops))
    weights = mel_filters(BANDS, WINDOW, RATE, LOWEST_HZ, HIGHEST_HZ, warp)
    waveform, window = torch.from_numpy(padded), torch.hann_window(WINDOW)
    frames = [
        torch.fft.rfft(waveform[block[:, None] + torch.arange(WINDOW)] * window).abs().square() @ weights.T
        for block in torch.from_numpy(starts).split(8192)
    ]
    return (torch.cat(frames) + FLOOR).log()
