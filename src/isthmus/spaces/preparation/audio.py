"""Audio: windows as log-mel spectrograms, with the settings of the checkpoint's feature extractor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from jaxtyping import Float32
from scipy.fft import rfft

from isthmus.base.hashing import fingerprint_of
from isthmus.media import Item, UnreadableError, read_audio
from isthmus.media.readers.audio import MOST_WINDOWS, READING, WINDOW_SECONDS
from isthmus.spaces.checkpoint import loaded
from isthmus.spaces.protocol import EncoderInputs, Weights

FLOOR = 1e-10


@lru_cache(maxsize=8)
def feature_extractor(weights: Weights) -> Any:
    """The checkpoint's feature extractor, which takes its spectrograms from `log_mel`."""
    from transformers import AutoFeatureExtractor

    made = loaded(weights, AutoFeatureExtractor.from_pretrained)
    made._np_extract_fbank_features = partial(log_mel, made)
    return made


@dataclass(frozen=True)
class AudioPreparation:
    """Extracts the features of each window of an audio clip; ``_seconds`` is the window's start and end.

    Windows are cut at the extractor's longest input, so it never crops at random. For models that fuse several crops
    of a long clip, every window is a short clip.
    """

    weights: Weights
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def longest_seconds(self) -> float:
        """The length of the model's longest input."""
        return float(feature_extractor(self.weights).max_length_s)

    @property
    def fingerprint(self) -> str:
        """Depends on the extractor's settings and the windows."""
        from transformers import AutoFeatureExtractor

        settings = loaded(self.weights, AutoFeatureExtractor.from_pretrained).to_dict()
        return fingerprint_of(READING, WINDOW_SECONDS, MOST_WINDOWS, settings)

    def __call__(self, item: Item) -> EncoderInputs:
        """The inputs of one audio clip, one row per window."""
        assert item.source is not None
        extractor = feature_extractor(self.weights)
        sound = read_audio(item.source, extractor.sampling_rate)
        shortest = extractor.fft_window_size // 2 + 1
        if len(sound.samples[0]) < shortest:
            raise UnreadableError(
                f"{item.name}: too short: {len(sound.samples[0])} samples, at least {shortest} needed"
            )
        longest = int(extractor.nb_max_samples)
        made = extractor([samples[:longest] for samples in sound.samples], sampling_rate=sound.rate)
        features = np.stack(made["input_features"]).astype(np.float32)
        return {
            "input_features": features,
            "is_longer": np.zeros((len(features), 1), bool),
            "_seconds": np.array(sound.spans, np.float32),
        }


def log_mel(
    extractor: Any, waveform: np.ndarray, mel_filters: np.ndarray | None = None
) -> Float32[np.ndarray, "frames bands"]:
    """The mel bands, in decibels, of a Hann-windowed, centred power spectrogram, all frames at once, in float32.

    Equals `ClapFeatureExtractor._np_extract_fbank_features`, which loops over frames in float64, up to float32's
    rounding.
    """
    filters = extractor.mel_filters if mel_filters is None else mel_filters
    length = extractor.fft_window_size
    padded = np.pad(np.asarray(waveform, np.float32), length // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[:: extractor.hop_length]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    spectrum = rfft(frames * window)
    power = spectrum.real**2 + spectrum.imag**2
    return 10 * np.log10(np.maximum(power @ filters.astype(np.float32), np.float32(FLOOR)))
