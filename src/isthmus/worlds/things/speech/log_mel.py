"""Log-mel features of sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from isthmus.worlds.spaces.mel import mel_filters
from isthmus.worlds.things.speech.recordings import RATE

HOP, WINDOW, BANDS = 320, 512, 40
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
FLOOR = 1e-4


def log_mel(
    sounds: Sequence[Float32[np.ndarray, " _"]], warp: float = 1.0
) -> tuple[Float[Tensor, "n frames bands"], Int[Tensor, " n"]]:
    """Frames of 20 ms of several sounds, and how many each has; shorter ones end with silence.

    Args:
        sounds: Samples at 16 kHz.
        warp: Factor on the frequencies of the filters: above 1 simulates a longer vocal tract.
    """
    lengths = np.array([-(-len(sound) // HOP) for sound in sounds])
    padded = np.zeros((len(sounds), lengths.max() * HOP + WINDOW - HOP), np.float32)
    border = (WINDOW - HOP) // 2
    for row, sound in enumerate(sounds):
        padded[row, border : border + len(sound)] = sound
    frames = torch.from_numpy(padded).unfold(1, WINDOW, HOP)
    spectrum = torch.fft.rfft(frames * torch.hann_window(WINDOW))
    power = torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
    filters = mel_filters(BANDS, WINDOW, RATE, LOWEST_HZ, HIGHEST_HZ, warp)
    return (power @ filters.T + FLOOR).log(), torch.from_numpy(lengths)
