"""Sounds: soundfile reads what it knows, PyAV the rest and the sound tracks of videos; one channel, one rate, windows.

Memory holds windows, never a whole long sound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float32

from isthmus.media.readers.pyav import opened_container
from isthmus.media.readers.windows import windows
from isthmus.media.source import ByteSource, as_source
from isthmus.media.unreadable import UnreadableError, unreadable

SOUNDFILE_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".rf64")
SUFFIXES = (*SOUNDFILE_SUFFIXES, ".m4a", ".aac", ".opus", ".wma", ".mka", ".amr", ".ac3")
RATES = (1000, 768_000)
MOST_CHANNELS = 64
Span = tuple[float, float]


@dataclass(frozen=True)
class Sound:
    """Windows of a sound as float32 mono samples at ``rate``, and where each begins and ends in seconds."""

    samples: tuple[Float32[np.ndarray, " _"], ...]
    spans: tuple[Span, ...]
    rate: int


def read_audio(content: ByteSource | Path | str | bytes, rate: int) -> Sound:
    """The `windows` of a sound file, or of a video's sound track: channels averaged, resampled to ``rate``.

    Raises `UnreadableError` for what is no sound, has no samples, or holds NaN or infinite ones.
    """
    source = as_source(content)
    suffix = Path(source.name).suffix.lower()
    with unreadable(source.name):
        try:
            found = _by_soundfile(source, rate)
        except soundfile.LibsndfileError:
            if suffix in SOUNDFILE_SUFFIXES:
                raise
            found = _by_pyav(source, rate)
    kept = [(samples, span) for samples, span in found if len(samples)]
    if not kept:
        raise UnreadableError(f"{source.name}: holds no sound")
    if not all(np.isfinite(samples).all() for samples, _ in kept):
        raise UnreadableError(f"{source.name}: holds samples that are NaN or infinite")
    return Sound(tuple(samples for samples, _ in kept), tuple(span for _, span in kept), rate)


def _by_soundfile(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    with source.open() as stream, soundfile.SoundFile(stream) as file:
        own = file.samplerate
        if not RATES[0] <= own <= RATES[1] or file.channels > MOST_CHANNELS:
            raise UnreadableError(f"{source.name}: {own} Hz and {file.channels} channels cannot be right")
        found = []
        for start, end in windows(file.frames / own):
            first, last = round(start * own), round(end * own)
            file.seek(first)
            block = file.read(last - first, dtype="float32", always_2d=True)
            found.append((resampled(block.mean(1), own, rate), (start, start + len(block) / own)))
        return found


def resampled(samples: Float32[np.ndarray, " samples"], own: int, rate: int) -> Float32[np.ndarray, " resampled"]:
    """The same sound at another rate, by a polyphase filter."""
    if own == rate or len(samples) == 0:
        return samples
    from scipy.signal import resample_poly

    shared = math.gcd(own, rate)
    return resample_poly(samples, rate // shared, own // shared).astype(np.float32)


def _by_pyav(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    with opened_container(source) as container:
        if not container.streams.audio:
            raise UnreadableError(f"{source.name}: holds no sound")
        stream = container.streams.audio[0]
        known = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 1e6
    length = float(known) if known else sum(len(chunk) for chunk in _decoded(source, rate)) / rate
    spans = windows(length)
    parts: list[list[np.ndarray]] = [[] for _ in spans]
    place = 0
    for chunk in _decoded(source, rate):
        for (start, end), part in zip(spans, parts, strict=True):
            first, last = max(place, round(start * rate)), min(place + len(chunk), round(end * rate))
            if first < last:
                part.append(chunk[first - place : last - place])
        place += len(chunk)
        if place >= spans[-1][1] * rate:
            break
    nothing = np.empty(0, np.float32)
    joined = [np.concatenate(part) if part else nothing for part in parts]
    return [(samples, (start, start + len(samples) / rate)) for samples, (start, _) in zip(joined, spans, strict=True)]


def _decoded(source: ByteSource, rate: int) -> Iterator[np.ndarray]:
    """The first sound track, mono at ``rate``, chunk by chunk."""
    import av

    with opened_container(source) as container:
        resampler: Any = av.AudioResampler(format="flt", layout="mono", rate=rate)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0]
        for part in resampler.resample(None):
            yield part.to_ndarray()[0]
