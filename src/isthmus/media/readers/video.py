"""Videos: PyAV decodes frames at equal distances. `audio` reads the sound track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from isthmus.media.readers.image import MOST_PIXELS, eight_bit
from isthmus.media.readers.pyav import opened_container
from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp", ".ogv")


@dataclass(frozen=True)
class Video:
    """Frames of a video, the second at which each is shown, and the length of the whole video in seconds."""

    frames: UInt8[np.ndarray, "frames height width 3"]
    seconds: Float[np.ndarray, " frames"]
    duration: float

    def images(self) -> list[Image.Image]:
        """The frames as PIL images."""
        return [Image.fromarray(frame) for frame in self.frames]


def read_video(content: ByteSource | Path | str | bytes | np.ndarray | tuple[np.ndarray, float], frames: int) -> Video:
    """Read some frames of a video, each from the middle of one of ``frames`` equal parts.

    Args:
        content: A file (its path, bytes or source), or all frames as an array of shape (frames, height, width, 3), of
            uint8 or of floats in [0, 1]: either the array, taken as one frame per second, or (array, frames per
            second).
        frames: How many frames to take. Frames of a shorter video repeat.

    Returns:
        The frames with their times.

    Raises:
        UnreadableError: The content is not a video, or no frame of it can be decoded.

    Example:
        >>> import numpy as np
        >>> video = read_video((np.zeros((50, 4, 4, 3), np.uint8), 25.0), frames=2)
        >>> video.frames.shape, video.seconds.tolist(), video.duration
        ((2, 4, 4, 3), [0.48, 1.48], 2.0)
    """
    source = as_source(content)
    if isinstance(source, Decoded):
        return _from_memory(source, frames)
    with unreadable(source.name), opened_container(source) as container:
        if not container.streams.video:
            raise UnreadableError(f"{source.name}: has no video track")
        stream = container.streams.video[0]
        if stream.width * stream.height > MOST_PIXELS:
            raise UnreadableError(
                f"{source.name}: {stream.width} x {stream.height} pixels, the limit is {MOST_PIXELS} pixels"
            )
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


def _from_memory(source: Decoded, frames: int) -> Video:
    value = source.value
    with unreadable(source.name):
        array, rate = value if isinstance(value, tuple) else (value, 1.0)
        every, rate = np.asarray(array), float(rate)
    if every.ndim != 4 or every.shape[3] != 3 or every.size == 0:
        raise UnreadableError(f"{source.name}: expected shape (frames, height, width, 3), got {every.shape}")
    if not 0 < rate < np.inf:
        raise UnreadableError(f"{source.name}: expected a positive number of frames per second, got {rate:g}")
    chosen = _middles(len(every), frames)
    return Video(eight_bit(source.name, every[chosen]), np.array(chosen) / rate, len(every) / rate)


def _middles(length: int, parts: int) -> list[int]:
    """The number of the middle frame of each of ``parts`` equal parts of ``length`` frames."""
    return [int((part + 0.5) * length / parts) for part in range(parts)]


def _duration(container: Any, stream: Any) -> float | None:
    """Seconds from the first frame to the end; None if the file does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def _frame_at(container: Any, stream: Any, second: float) -> tuple[np.ndarray, float] | None:
    """The frame shown at a second: seeks to the key frame before it and decodes from there."""
    first = float((stream.start_time or 0) * stream.time_base)
    container.seek(round((first + second) / stream.time_base), stream=stream)
    last = None
    for frame in container.decode(stream):
        if frame.time is not None and frame.time - first > second and last is not None:
            break
        last = frame
    return None if last is None else (upright(last), float((last.time or first) - first))


def upright(frame: Any) -> UInt8[np.ndarray, "height width 3"]:
    """A frame's pixels, rotated as the file says the camera was held."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4))


def _counted(source: ByteSource, container: Any, frames: int) -> Video:
    """Frames of a file that does not say how long it is: counts its frames, then keeps the middle one of each part."""
    times = [float(frame.time or 0.0) for frame in container.decode(video=0)]
    if not times:
        raise UnreadableError(f"{source.name}: no frame can be decoded")
    wanted = _middles(len(times), frames)
    kept: dict[int, np.ndarray] = {}
    with opened_container(source) as again:
        for number, frame in enumerate(again.decode(video=0)):
            if number in wanted:
                kept[number] = upright(frame)
    seconds = np.array([times[number] for number in wanted]) - times[0]
    return Video(np.stack([kept[number] for number in wanted]), seconds, times[-1] - times[0])
