"""Videos: PyAV decodes frames at even distances; the sound track is read as any sound, see `audio`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from isthmus.media.readers.image import MOST_PIXELS
from isthmus.media.readers.pyav import opened_container
from isthmus.media.source import ByteSource, as_source
from isthmus.media.unreadable import UnreadableError, unreadable

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp", ".ogv")


@dataclass(frozen=True)
class Video:
    """Frames of a video, ``(frames, height, width, 3)``, the second each was shown, and how long all of it lasts."""

    frames: UInt8[np.ndarray, "frames height width 3"]
    seconds: Float[np.ndarray, " frames"]
    duration: float

    def pictures(self) -> list[Image.Image]:
        """The frames as pictures."""
        return [Image.fromarray(frame) for frame in self.frames]


def read_video(content: ByteSource | Path | str | bytes, frames: int) -> Video:
    """``frames`` frames, each from the middle of an equal part of the video: the same ones every time.

    Of a shorter video frames are repeated. Raises `UnreadableError` for what is no video or holds no frame.
    """
    source = as_source(content)
    with unreadable(source.name), opened_container(source) as container:
        if not container.streams.video:
            raise UnreadableError(f"{source.name}: holds no picture track")
        stream = container.streams.video[0]
        if stream.width * stream.height > MOST_PIXELS:
            raise UnreadableError(f"{source.name}: {stream.width} x {stream.height} pixels are too many")
        duration = _duration(container, stream)
        if duration is None:
            return _counted(source, container, frames)
        asked = [(part + 0.5) * duration / frames for part in range(frames)]
        found = [_frame_at(container, stream, second) for second in asked]
        shown = [frame for frame in found if frame is not None]
        if not shown:
            raise UnreadableError(f"{source.name}: no frame can be decoded")
        whole = [frame if frame is not None else shown[-1] for frame in found]
        return Video(np.stack([pixels for pixels, _ in whole]), np.array([second for _, second in whole]), duration)


def _duration(container: Any, stream: Any) -> float | None:
    """Seconds from the first frame to the end; ``None`` where the file does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def _frame_at(container: Any, stream: Any, second: float) -> tuple[np.ndarray, float] | None:
    """The frame shown at a second, by seeking to the key frame before it and decoding on."""
    first = float((stream.start_time or 0) * stream.time_base)
    container.seek(round((first + second) / stream.time_base), stream=stream)
    last = None
    for frame in container.decode(stream):
        if frame.time is not None and frame.time - first > second and last is not None:
            break
        last = frame
    return None if last is None else (upright(last), float((last.time or first) - first))


def upright(frame: Any) -> UInt8[np.ndarray, "height width 3"]:
    """A frame's pixels, turned as its file says the camera was held."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4))


def _counted(source: ByteSource, container: Any, frames: int) -> Video:
    """Where a file does not say how long it is: its frames are counted, then those in the middle of parts are kept."""
    times = [float(frame.time or 0.0) for frame in container.decode(video=0)]
    if not times:
        raise UnreadableError(f"{source.name}: no frame can be decoded")
    wanted = [int((part + 0.5) * len(times) / frames) for part in range(frames)]
    kept: dict[int, np.ndarray] = {}
    with opened_container(source) as again:
        for number, frame in enumerate(again.decode(video=0)):
            if number in wanted:
                kept[number] = upright(frame)
    seconds = np.array([times[number] for number in wanted]) - times[0]
    return Video(np.stack([kept[number] for number in wanted]), seconds, times[-1] - times[0])
