"""Small media files in the real formats."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from PIL import Image


def write_image(path: Path, seed: int = 0, size: tuple[int, int] = (70, 48)) -> Path:
    draw = np.random.default_rng(seed)
    Image.fromarray(draw.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).save(path)
    return path


def tones(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    return (0.2 * np.sin(2 * np.pi * draw.uniform(100, 1500, 3)[:, None] * time).sum(0)).astype(np.float32)


def write_audio(path: Path, seconds: float = 3.0, rate: int = 8000, seed: int = 0) -> Path:
    soundfile.write(path, tones(seconds, rate, seed), rate)
    return path


def write_video(path: Path, seconds: int = 3, rate: int = 25, audio_rate: int | None = 16000) -> Path:
    """Frames that get brighter by one step each, and tones."""
    with av.open(str(path), "w") as container:
        images = container.add_stream("libx264", rate=rate)
        images.width = images.height = 64
        images.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=audio_rate) if audio_rate else None
        for number in range(seconds * rate):
            shade = np.full((64, 64, 3), 2 * number, np.uint8)
            container.mux(images.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(images.encode())
        if audio is not None:
            samples = tones(seconds, audio_rate)[None]
            for start in range(0, samples.shape[1], 1024):
                part = np.ascontiguousarray(samples[:, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = audio_rate, start, Fraction(1, audio_rate)
                container.mux(audio.encode(frame))
            container.mux(audio.encode())
    return path


def write_cloud(path: Path, points: int = 600, seed: int = 0) -> Path:
    np.save(path, np.random.default_rng(seed).standard_normal((points, 3)).astype(np.float32))
    return path
