"""PyAV, the decoder of videos and of audio that soundfile does not know, opened on a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.media.readers.callback_stream import callback_stream
from isthmus.media.source import ByteSource

CLOSED = {"protocol_whitelist": "none"}
"""Playlists, ffconcat and SDP files name other files and addresses: FFmpeg may open none of them."""
STATING = ("flac", "mov", "matroska")
"""Formats that state the length of a track; FFmpeg estimates that of others from their bit rate."""


@contextmanager
def opened_container(source: ByteSource) -> Iterator[Any]:
    """Open a PyAV container. Raises `IsthmusError` if PyAV is not installed."""
    try:
        import av
    except ImportError as error:
        raise IsthmusError(f"{source.name}: reading it needs PyAV: pip install 'isthmus[embed]'") from error
    av.logging.set_level(None)
    with callback_stream(source) as stream, av.open(stream, mode="r", options=CLOSED) as container:
        yield container


def stated_seconds(container: Any, stream: Any) -> float | None:
    """The length of a stream, if the file states it; not that of the file, which may have another, longer stream."""
    if container.format.name.split(",")[0] not in STATING:
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    hours, _, rest = str(stream.metadata.get("DURATION", "")).partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return (int(hours) * 60 + int(minutes)) * 60 + float(seconds)
    except ValueError:
        alone = len(container.streams) == 1 and container.duration
        return container.duration / 1e6 if alone else None
