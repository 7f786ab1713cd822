"""Audio: soundfile reads the files whose header it can trust, PyAV all others and the sound tracks of videos.

The result is windows of one channel at one rate. A long file is never held in memory as a whole: a sound is read as two
rows, the mean of its channels and its first channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float32

from isthmus.media.readers.callback_stream import callback_stream
from isthmus.media.readers.sound_header import length_is_told, promised_share
from isthmus.media.readers.sound_track import SLACK_SECONDS, check_format, cut_short, decoded_track, promised_seconds
from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

READING = "sound 2"
"""Part of the fingerprint of a preparation: changes when the same file gives other samples."""
SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".rf64"),
    *(".m4a", ".aac", ".opus", ".wma", ".mka", ".amr", ".ac3"),
)
WINDOW_SECONDS = 10.0
MOST_WINDOWS = 12
INTEGER_RANGE = {"int16": 2**15, "int32": 2**31}
"""Samples of these types are divided by this, which brings them to [-1, 1)."""
LOUDEST = 16.0
"""Floats beyond it are not samples in [-1, 1] that are a little too loud: they are in the range of int16."""
SILENT = 1 / 32
"""If the mean of all channels is that much quieter than the first channel, the channels cancel each other."""
LONGEST_SECONDS = 10**7
"""No recording is that long: it stands for an unknown length, as in streamed FLAC."""
TWO_FILES = (61, 80)
"""Errors of libsndfile: a second WAV or AIFF file follows the first, and PyAV would read the first only."""
Span = tuple[float, float]
Tracks = Float32[np.ndarray, "2 samples"]
"""The mean of all channels, and the first channel."""


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
        rate: The sampling rate to resample to, in Hz. Channels are averaged; if they cancel each other, the first one
            is taken. Floats in the range of int16 are divided by 32768.

    Returns:
        The windows, none longer than ten seconds.

    Raises:
        UnreadableError: The content is not audio, has no samples or fewer than its header promises, or has samples
            that are NaN, infinite or beyond the range of int16.

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
    scale = _scale(source.name, max(float(np.abs(samples).max()) for samples, _ in kept))
    return AudioWindows(tuple(samples * scale for samples, _ in kept), tuple(span for _, span in kept), rate)


def _scale(name: str, loudest: float) -> np.float32:
    """What brings the samples to [-1, 1]: 1, or that of int16 if they are floats in its range."""
    if loudest <= LOUDEST:
        return np.float32(1)
    if loudest > INTEGER_RANGE["int16"]:
        raise UnreadableError(f"{name}: has samples of {loudest:g}, expected [-1, 1]: divide them by their range")
    return np.float32(1 / INTEGER_RANGE["int16"])


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
    check_format(source.name, own, whole.shape[1])
    return _in_windows(lambda first, last: tracks(whole[first:last].astype(np.float32)), len(whole), own, rate)


def _from_file(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    with callback_stream(source) as stream:
        promised = promised_share(stream)
        found = _by_soundfile(source.name, stream, rate)
    found = found or _by_pyav(source, rate)
    length = found[-1][1][1]
    if (promised - 1) * length > SLACK_SECONDS:
        raise cut_short(source.name, promised * length, length)
    return found


def _by_soundfile(name: str, stream: BufferedIOBase, rate: int) -> list[tuple[np.ndarray, Span]] | None:
    """The windows; None if soundfile cannot read the file, or cannot know how long it is."""
    stream.seek(0)
    try:
        with soundfile.SoundFile(stream) as file:
            form, frames, own = file.format, file.frames, file.samplerate
            check_format(name, own, file.channels)
            if not (file.seekable() and frames < own * LONGEST_SECONDS and length_is_told(stream, form)):
                return None
    except soundfile.LibsndfileError as error:
        if error.code in TWO_FILES:
            raise
        return None
    stream.seek(0)
    with soundfile.SoundFile(stream) as file:

        def read(first: int, last: int) -> Tracks:
            file.seek(first)
            return tracks(file.read(last - first, dtype="float32", always_2d=True))

        try:
            found = _in_windows(read, frames, own, rate)
        except soundfile.LibsndfileError:
            return None
    asked = sum(end - start for start, end in windows(frames / own))
    return found if sum(end - start for _, (start, end) in found) > asked - SLACK_SECONDS else None


def tracks(block: Float32[np.ndarray, "samples channels"]) -> Tracks:
    """The two rows that windows are made of."""
    return np.stack([block.mean(1), block[:, 0]]).astype(np.float32)


def one_channel(both: Tracks) -> Float32[np.ndarray, " samples"]:
    """The mean of all channels; the first channel where the mean is silent because channels cancel each other."""
    mean, first = both
    power = float(np.square(first, dtype=np.float64).sum())
    return first if float(np.square(mean, dtype=np.float64).sum()) < SILENT**2 * power else mean


def _in_windows(read: Callable[[int, int], Tracks], length: int, own: int, rate: int) -> list[tuple[np.ndarray, Span]]:
    """Each window of ``length`` samples at ``own`` Hz, mono at ``rate``; ``read`` gives the samples between two."""
    found = []
    for start, end in windows(length / own):
        heard = one_channel(read(round(start * own), round(end * own)))
        found.append((resampled(heard, own, rate), (start, start + len(heard) / own)))
    return found


def resampled(samples: Float32[np.ndarray, " samples"], own: int, rate: int) -> Float32[np.ndarray, " resampled"]:
    """The same samples at another rate, by a polyphase filter."""
    if own == rate or len(samples) == 0:
        return samples
    from scipy.signal import resample_poly

    shared = math.gcd(own, rate)
    return resample_poly(samples, rate // shared, own // shared).astype(np.float32)


def _by_pyav(source: ByteSource, rate: int) -> list[tuple[np.ndarray, Span]]:
    """Decode the track once if it is short, or if its length is known; otherwise count its samples first."""
    promised = promised_seconds(source)
    longest = MOST_WINDOWS * WINDOW_SECONDS
    length = promised or 0.0
    if length <= longest:
        head, count = [], 0
        for chunk in decoded_track(source, rate):
            if count <= longest * rate:
                head.append(chunk)
            count += chunk.shape[1]
        if count <= longest * rate:
            whole = np.concatenate(head, axis=1) if head else np.empty((2, 0), np.float32)
            return _in_windows(lambda first, last: whole[:, first:last], count, rate, rate)
        length = count / rate
    return _in_stream(decoded_track(source, rate), length, rate)


def _in_stream(chunks: Iterable[Tracks], length: float, rate: int) -> list[tuple[np.ndarray, Span]]:
    """The windows of a long track; nothing else of it is held in memory."""
    spans = windows(length)
    parts: list[list[np.ndarray]] = [[] for _ in spans]
    place = 0
    for chunk in chunks:
        for (start, end), part in zip(spans, parts, strict=True):
            first, last = max(place, round(start * rate)), min(place + chunk.shape[1], round(end * rate))
            if first < last:
                part.append(chunk[:, first - place : last - place])
        place += chunk.shape[1]
        if place >= spans[-1][1] * rate:
            break
    nothing = np.empty((2, 0), np.float32)
    joined = [one_channel(np.concatenate([nothing, *part], axis=1)) for part in parts]
    return [(samples, (start, start + len(samples) / rate)) for samples, (start, _) in zip(joined, spans, strict=True)]
