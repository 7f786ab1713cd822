"""Videos: PyAV decodes frames at equal distances. `audio` reads the sound track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from isthmus.media.readers.image import MOST_PIXELS, eight_bit, on_white
from isthmus.media.readers.pyav import opened_container, stated_seconds
from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

READING = "frames 2"
"""Part of the fingerprint of a preparation: changes when the same file gives other frames."""
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
        UnreadableError: The content is not a video, no frame of it can be decoded, or its end is missing.

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
        _check_size(source.name, stream)
        duration = _duration(container, stream)
        if duration is None:
            return _counted(source, container, frames)
        asked = [(part + 0.5) * duration / frames for part in range(frames)]
        found = [_frame_at(source.name, container, stream, second) for second in asked]
        if found[-1] is None:
            last = max((second for _, second in filter(None, found)), default=0.0)
            raise UnreadableError(
                f"{source.name}: is cut short: of {duration:.1f} s, nothing can be decoded after {last:.1f} s"
            )
        # A part in the middle that cannot be decoded shows what comes after it.
        whole = [next(frame for frame in found[place:] if frame is not None) for place in range(frames)]
        return Video(_stacked([pixels for pixels, _ in whole]), np.array([second for _, second in whole]), duration)


def _stacked(frames: list[np.ndarray]) -> UInt8[np.ndarray, "frames height width 3"]:
    """The frames as one array, in the size of the first: some streams change it."""
    height, width = frames[0].shape[:2]
    same = [
        frame if frame.shape[:2] == (height, width) else np.asarray(Image.fromarray(frame).resize((width, height)))
        for frame in frames
    ]
    return np.stack(same)


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
    """Seconds from the first frame to the end of the pictures, not of the sound; None if the file does not say."""
    stated = stated_seconds(container, stream)
    if stated is None and stream.duration and stream.time_base:
        stated = float(stream.duration * stream.time_base)
    if stated is None and container.duration:
        alone = len(container.streams) == 1
        stated = container.duration / 1e6 if alone else _end_of_packets(container, stream)
    return stated


def _end_of_packets(container: Any, stream: Any) -> float | None:
    """When the last packet of a stream ends, without decoding any."""
    times = [packet.pts + (packet.duration or 0) for packet in container.demux(stream) if packet.pts is not None]
    return float((max(times) - (stream.start_time or 0)) * stream.time_base) if times else None


def _frame_at(name: str, container: Any, stream: Any, second: float) -> tuple[np.ndarray, float] | None:
    """The frame shown at a second: seeks to the key frame before it and decodes from there."""
    first = float((stream.start_time or 0) * stream.time_base)
    container.seek(round((first + second) / stream.time_base), stream=stream)
    last = None
    for frame in container.decode(stream):
        if frame.time is not None and frame.time - first > second and last is not None:
            break
        last = frame
    return None if last is None else (_upright(name, last), float((last.time or first) - first))


def _check_size(name: str, shown: Any) -> None:
    """Raise `UnreadableError` for a stream of too many pixels, or a frame, which may be larger than its stream."""
    if shown.width * shown.height > MOST_PIXELS:
        raise UnreadableError(f"{name}: {shown.width} x {shown.height} pixels, the limit is {MOST_PIXELS} pixels")


def _upright(name: str, frame: Any) -> UInt8[np.ndarray, "height width 3"]:
    """A frame's pixels, on white, rotated as the file says the camera was held."""
    _check_size(name, frame)
    if any(component.is_alpha for component in frame.format.components):
        pixels = np.asarray(on_white(Image.fromarray(frame.to_ndarray(format="rgba"))))
    else:
        pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))


def _counted(source: ByteSource, container: Any, frames: int) -> Video:
    """Frames of a file that does not say how long it is: decodes it twice, the first time for the times."""
    times = np.array([float(frame.time or 0.0) for frame in container.decode(video=0)])
    if len(times) == 0:
        raise UnreadableError(f"{source.name}: no frame can be decoded")
    seconds = times - times[0]
    duration = float(seconds[-1]) * len(times) / max(1, len(times) - 1)
    asked = [(part + 0.5) * duration / frames for part in range(frames)]
    wanted = (np.searchsorted(seconds, asked, "right") - 1).clip(0) if duration else _middles(len(times), frames)
    kept: dict[int, np.ndarray] = {}
    with opened_container(source) as again:
        for number, frame in enumerate(again.decode(video=0)):
            if number in wanted:
                kept[number] = _upright(source.name, frame)
    return Video(_stacked([kept[number] for number in wanted]), seconds[np.asarray(wanted)], duration)
