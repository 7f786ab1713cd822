"""Log-mel spectrograms as transformers' CLAP extractor makes them, all frames at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32
from scipy.fft import rfft

FLOOR = 1e-10


def log_mel(
    extractor: Any, waveform: np.ndarray, mel_filters: np.ndarray | None = None
) -> Float32[np.ndarray, "frames bands"]:
    """Decibels of a Hann-windowed, centred power spectrogram's mel bands, in float32.

    What `ClapFeatureExtractor._np_extract_fbank_features` gives, frame by frame in float64, to float32's rounding.
    """
    filters = extractor.mel_filters if mel_filters is None else mel_filters
    length = extractor.fft_window_size
    padded = np.pad(np.asarray(waveform, np.float32), length // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[:: extractor.hop_length]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    spectrum = rfft(frames * window)
    power = spectrum.real**2 + spectrum.imag**2
    return 10 * np.log10(np.maximum(power @ filters.astype(np.float32), np.float32(FLOOR)))
