"""Audio: soundfile reads the formats it knows, PyAV the others and the sound tracks of videos.

The result is windows of one channel at one rate. A long file is never held in memory as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float32

from isthmus.media.readers.pyav import opened_container
from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

SOUNDFILE_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".rf64")
SUFFIXES = (*SOUNDFILE_SUFFIXES, ".m4a", ".aac", ".opus", ".wma", ".mka", ".amr", ".ac3")
RATES = (1000, 768_000)
"""Sampling rates in Hz that can be right."""
MOST_CHANNELS = 64
WINDOW_SECONDS = 10.0
MOST_WINDOWS = 12
INTEGER_RANGE = {"int16": 2**15, "int32": 2**31}
"""Samples of these types are divided by this, which brings them to [-1, 1)."""
Span = tuple[float, float]


@dataclass(frozen=True)
class AudioWindows:
    """The windows of an audio clip as float32 mono samples at ``rate`` Hz, and the start and end of each in seconds."""

    samples: tuple[Float32[np.ndarray, " _"], ...]
    spans: tuple[Span, ...]
    rate: int


def read_audio(content: ByteSource | Path | str | bytes | tuple[np.ndarray, int], rate: int) -> AudioWindows:
    """Read an audio clip, or the sound track of a video, as the windows that `windows` places.

    Args:
        content: A file (its path, bytes or source), or (samples, rate): samples of shape (samples,) or
            (samples, channels), floats or int16 or int32, and their sampling rate in Hz.
        rate: The sampling rate to resample to, in Hz. Channels are averaged.

    Returns:
        The windows, none longer than ten seconds.

    Raises:
        UnreadableError: The content is not audio, has no samples, or has samples that are NaN or infinite.

    Example:
        >>> import numpy as np
        >>> sound = read_audio((np.zeros(12 * 8000, np.float32), 8000), rate=8000)
        >>> sound.spans
        ((0.0, 6.0), (6.0, 12.0))
    """
    source = as_source(content)
    with unreadable(source.name):
        found = _from_memory(source, rate) if isinstance(source, Decoded) else _from_file(source, rate)
    kept = [(samples, span) for samples, span in found if len(samples)]
    if not kept:
        raise UnreadableError(f"{source.name}: has no audio")
    if not all(np.isfinite(samples).all() for samples, _ in kept):
        raise UnreadableError(f"{source.name}: has samples that are NaN or infinite")
    return AudioWindows(tuple(samples for samples, _ in kept), tuple(span for _, span in kept), rate)


def windows(duration: float) -> list[Span]:
    """Start and end of each window in seconds, the same every time.

    Up to two minutes the windows are equally long, adjacent, and cover everything. A longer clip has twelve windows of
    ten seconds at equal distances, the first at its start and the last at its end.
    """
    count = max(1, math.ceil(duration / WINDOW_SECONDS))
    if count <= MOST_WINDOWS:
        return [(duration * k / count, duration * (k + 1) / count) for k in range(count)]
    step = (duration - WINDOW_SECONDS) / (MOST_WINDOWS - 1)
    return [(step * k, step * k + WINDOW_SECONDS) for k in range(MOST_WINDOWS)]


def _from_memory(source: Decoded, rate: int) -> list[tuple[np.ndarray, Span]]:
    if not (isinstance(source.value, tuple) and len(source.value) == 2):
        raise UnreadableError(f"{source.name}: expected a path or (samples, rate)")
    samples, own = np.asarray(source.value[0]), int(source.value[1])
    if samples.ndim not in (1, 2) or (samples.dtype.kind != "f" and samples.dtype.name not in INTEGER_RANGE):
        raise UnreadableError(
            f"{source.name}: expected samples of shape (samples,) or (samples, channels), floats or int16 or int32, "
            f"got {samples.dtype} {samples.shape}"
        )
    whole = (samples[:, None] if samples.ndim == 1 else samples) / np.float32(INTEGER_RANGE.get(samples.dtype.name, 1))
    _check_format(source.name, own, whole.shape[1])
    return _in_windows(lambda first, last: whole[first:last].astype(np.float32), len(whole), own, rate)


def _from_file(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    try:
        return _by_soundfile(source, rate)
    except soundfile.LibsndfileError:
        if Path(source.name).suffix.lower() in SOUNDFILE_SUFFIXES:
            raise
        return _by_pyav(source, rate)


def _by_soundfile(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    with source.open() as stream, soundfile.SoundFile(stream) as file:
        _check_format(source.name, file.samplerate, file.channels)

        def read(first: int, last: int) -> np.ndarray:
            file.seek(first)
            block: np.ndarray = file.read(last - first, dtype="float32", always_2d=True)
            return block

        return _in_windows(read, file.frames, file.samplerate, rate)


def _check_format(name: str, rate: int, channels: int) -> None:
    if not RATES[0] <= rate <= RATES[1] or not 1 <= channels <= MOST_CHANNELS:
        raise UnreadableError(f"{name}: {rate} Hz and {channels} channels cannot be right")


def _in_windows(
    read: Callable[[int, int], Float32[np.ndarray, "samples channels"]], length: int, own: int, rate: int
) -> list[tuple[np.ndarray, Span]]:
    """Each window of ``length`` samples at ``own`` Hz, mono at ``rate``; ``read`` gives the samples between two."""
    found = []
    for start, end in windows(length / own):
        block = read(round(start * own), round(end * own))
        found.append((resampled(block.mean(1), own, rate), (start, start + len(block) / own)))
    return found


def resampled(samples: Float32[np.ndarray, " samples"], own: int, rate: int) -> Float32[np.ndarray, " resampled"]:
    """The same samples at another rate, by a polyphase filter."""
    if own == rate or len(samples) == 0:
        return samples
    from scipy.signal import resample_poly

    shared = math.gcd(own, rate)
    return resample_poly(samples, rate // shared, own // shared).astype(np.float32)


def _by_pyav(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    with opened_container(source) as container:
        if not container.streams.audio:
            raise UnreadableError(f"{source.name}: has no audio")
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
    """The first audio track, mono at ``rate``, chunk by chunk."""
    import av

    with opened_container(source) as container:
        resampler: Any = av.AudioResampler(format="flt", layout="mono", rate=rate)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0]
        for part in resampler.resample(None):
            yield part.to_ndarray()[0]
