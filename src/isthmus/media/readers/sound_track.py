"""The sound track of a file that PyAV opens: its stated length and its samples, also if their format changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.media.readers.pyav import opened_container, stated_seconds
from isthmus.media.source import ByteSource, UnreadableError

SLACK_SECONDS, SLACK_SHARE = 0.1, 0.02
"""How much of a stated length may be missing: containers round it, and encoders trim the ends."""

PARTS = 64
"""How many frames to mix at once: mixing them one by one costs as much as decoding them."""
RATES = (1000, 768_000)
"""Plausible sampling rates in Hz."""
MOST_CHANNELS = 64


def promised_seconds(source: ByteSource) -> float | None:
    """The length of the first sound track, if the file states it; None if it can only be estimated."""
    with opened_container(source) as container:
        return stated_seconds(container, _track(source, container))


def _track(source: ByteSource, container: Any) -> Any:
    if not container.streams.audio:
        raise UnreadableError(f"{source.name}: has no audio")
    return container.streams.audio[0]


def decoded_track(source: ByteSource, rate: int) -> Iterator[Float32[np.ndarray, "2 samples"]]:
    """The first sound track at ``rate``, part by part: the mean of its channels, and its first channel.

    Packets that cannot be decoded are left out, such as the tags between two joined MP3. Raises `UnreadableError` at
    the end if they are the majority, or if the track is shorter than the file states.
    """
    import av

    with opened_container(source) as container:
        track = _track(source, container)
        promised = stated_seconds(container, track)
        resampler: Any = None
        form: tuple[Any, ...] = ()
        waiting: list[np.ndarray] = []
        whole, broken, end, heard = 0, 0, 0.0, 0.0
        for packet in container.demux(track):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                broken += 1
                continue
            whole += 1
            for frame in frames:
                own = (frame.format.name, frame.layout.name, frame.sample_rate)
                if own != form:
                    check_format(source.name, frame.sample_rate, frame.layout.nb_channels)
                    yield from _tracks(waiting + _resampled(resampler, None))
                    resampler, form, waiting = av.AudioResampler(format="flt", layout=frame.layout, rate=rate), own, []
                waiting += _resampled(resampler, frame)
                if len(waiting) >= PARTS:
                    yield from _tracks(waiting)
                    waiting = []
                heard += frame.samples / frame.sample_rate
                end = max(end, heard, (frame.time or 0.0) + frame.samples / frame.sample_rate)
        yield from _tracks(waiting + _resampled(resampler, None))
        if broken > whole:
            raise UnreadableError(f"{source.name}: {broken} of {broken + whole} parts cannot be decoded")
        there = heard if container.format.name == "flac" else end
        if promised and there < promised * (1 - SLACK_SHARE) - SLACK_SECONDS:
            raise cut_short(source.name, promised, there)


def check_format(name: str, rate: int, channels: int) -> None:
    """Raise `UnreadableError` for a rate or a number of channels that no recording has."""
    if not RATES[0] <= rate <= RATES[1] or not 1 <= channels <= MOST_CHANNELS:
        raise UnreadableError(f"{name}: {rate} Hz and {channels} channels cannot be right")


def cut_short(name: str, promised: float, there: float) -> UnreadableError:
    """The error for a file whose header promises more seconds than it has."""
    return UnreadableError(f"{name}: is cut short: its header promises {promised:.1f} s, it has {there:.1f} s")


def _resampled(resampler: Any, frame: Any) -> list[np.ndarray]:
    """The channels that a resampler gives for a frame, or, for None, those it still holds."""
    if resampler is None:
        return []
    # Interleaved samples, because PyAV crashes on frames of eight or more separate channels.
    parts = [part.to_ndarray().reshape(-1, part.layout.nb_channels) for part in resampler.resample(frame)]
    return [np.ascontiguousarray(samples.T) for samples in parts]


def _tracks(parts: list[np.ndarray]) -> Iterator[Float32[np.ndarray, "2 samples"]]:
    """The mean of the channels and the first channel of some parts, as one, if there are any."""
    if parts:
        channels = np.concatenate(parts, axis=1)
        yield np.stack([channels.mean(0), channels[0]]).astype(np.float32)
