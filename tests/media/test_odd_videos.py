"""Videos of the real world: sound that goes on, varying frame rates, unknown or promised length, alpha, new sizes.

Every frame is brighter than the one before, so that its shade tells when it is shown.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from isthmus.media import UnreadableError, read_video

RATE = 10


def write(
    path: Path,
    seconds: float,
    *,
    sound: float = 0.0,
    times: list[int] | None = None,
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    **options: str,
) -> Path:
    """A video whose frame at second t has the shade 20 + 10 t; ``times`` in tenths of a second, by default all."""
    with av.open(str(path), "w", options=options) as container:
        images = container.add_stream(codec, rate=RATE)
        images.width = images.height = 64
        images.pix_fmt = pixels
        images.codec_context.gop_size, images.bit_rate = 5, 8_000_000
        audio = container.add_stream("pcm_s16le" if path.suffix != ".mp4" else "aac", rate=8000) if sound else None
        for time in times or range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 + time, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, RATE)
            container.mux(images.encode(frame))
        container.mux(images.encode())
        for start in range(0, round(sound * 8000), 1024) if audio is not None else ():
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
            silence.sample_rate, silence.pts, silence.time_base = 8000, start, Fraction(1, 8000)
            container.mux(audio.encode(silence))
        if audio is not None:
            container.mux(audio.encode())
    return path


def shown(path: Path, frames: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The time each frame must be from by its shade, the time stated for it, and the duration."""
    video = read_video(path, frames)
    return (video.frames.mean((1, 2, 3)) - 20) / RATE, video.seconds, video.duration


def without_duration_tags(path: Path) -> Path:
    """The same file as an old program would write it: without the lengths of its tracks."""
    path.write_bytes(path.read_bytes().replace(b"DURATION", b"NURATION"))
    return path


@pytest.mark.parametrize("name", ["a.mkv", "old.mkv", "a.mp4", "a.avi", "a.mov"])
def test_frames_come_from_the_pictures_however_long_the_sound_is(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, 2.0, sound=20.0)
    if name == "old.mkv":
        without_duration_tags(path)
    by_shade, stated, duration = shown(path, 4)
    expected = (np.arange(4) + 0.5) * 2 / 4
    assert duration == pytest.approx(2, abs=0.15)
    assert np.abs(by_shade - expected).max() <= 0.25
    assert np.abs(stated - expected).max() <= 0.15


@pytest.mark.parametrize("options", [{}, {"live": "1"}], ids=["known length", "streamed"])
def test_frames_of_a_varying_rate_are_at_their_times(tmp_path: Path, options: dict[str, str]) -> None:
    """One second of ten frames, and then one frame every two seconds."""
    path = write(tmp_path / "a.mkv", 0, times=[*range(10), *range(10, 100, 20)], **options)
    by_shade, stated, duration = shown(path, 4)
    assert np.abs(by_shade - stated).max() <= 0.25
    asked = (np.arange(4) + 0.5) * duration / 4
    assert (asked - stated).max() <= 2.0
    assert (asked >= stated - 0.1).all()


def test_a_streamed_video_is_counted(tmp_path: Path) -> None:
    by_shade, _, duration = shown(write(tmp_path / "a.mkv", 4.0, live="1"), 4)
    assert duration == pytest.approx(4, abs=0.15)
    assert np.abs(by_shade - (np.arange(4) + 0.5)).max() <= 0.25


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_a_video_that_ends_before_its_header_says_is_refused(tmp_path: Path, share: float) -> None:
    content = write(tmp_path / "a.mp4", 8.0, movflags="faststart").read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableError, match=r"a\.mp4: (is cut short|cannot be read)"):
        read_video(tmp_path / "a.mp4", 8)


def test_transparent_frames_are_on_white(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mov"), "w") as container:
        stream = container.add_stream("png", rate=RATE)
        stream.width = stream.height = 32
        stream.pix_fmt = "rgba"
        pixels = np.zeros((32, 32, 4), np.uint8)
        pixels[:16, :, 3] = 255
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgba")))
        container.mux(stream.encode())
    frame = read_video(tmp_path / "a.mov", 2).frames[0]
    assert (frame[:16] == 0).all()
    assert (frame[16:] == 255).all()


def test_a_stream_that_changes_its_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = []
    for number, size in enumerate((64, 96)):
        with av.open(str(tmp_path / "part.m2v"), "w", format="mpeg2video") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.width = stream.height = size
            stream.pix_fmt = "yuv420p"
            for _ in range(25):
                shade = np.full((size, size, 3), 50 + 100 * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
            container.mux(stream.encode())
        parts.append((tmp_path / "part.m2v").read_bytes())
    (tmp_path / "a.mpg").write_bytes(b"".join(parts))
    video = read_video(tmp_path / "a.mpg", 4)
    assert video.frames.shape == (4, 64, 64, 3)
    assert video.frames.mean((1, 2, 3)) == pytest.approx([50, 50, 150, 150], abs=6)
    monkeypatch.setattr("isthmus.media.readers.video.MOST_PIXELS", 70 * 70)
    with pytest.raises(UnreadableError, match=r"a\.mpg: 96 x 96 pixels, the limit is 4900 pixels"):
        read_video(tmp_path / "a.mpg", 4)
