"""Log-mel features, framed within each recording so audio clips can be composed of them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from isthmus.worlds.digits.recordings.speech import HOP, RATE

WINDOW = 256
BANDS = 32
LOWEST_HZ, HIGHEST_HZ = 60.0, 3400.0
FLOOR = 1e-5
SILENCE = float(np.log(FLOOR))
"""The value of every band in digital silence."""


def mel_weights(warp: float = 1.0) -> Float[Tensor, "bands bins"]:
    """Triangular filters, equally spaced on the mel scale (2595 log10(1 + f / 700)) up to half the rate.

    ``warp`` multiplies their frequencies, which simulates a vocal tract longer (above 1) or shorter (below 1) by
    that factor. No filter exceeds half the rate.
    """
    mel = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    edges = np.minimum(warp * 700 * (10 ** (mel / 2595) - 1), RATE / 2 - (BANDS + 1 - np.arange(BANDS + 2)))
    hertz = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    rising = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, None).astype(np.float32))


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


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
    waveform, weights, window = torch.from_numpy(padded), mel_weights(warp), torch.hann_window(WINDOW)
    frames = [
        torch.fft.rfft(waveform[block[:, None] + torch.arange(WINDOW)] * window).abs().square() @ weights.T
        for block in torch.from_numpy(starts).split(8192)
    ]
    return (torch.cat(frames) + FLOOR).log()
