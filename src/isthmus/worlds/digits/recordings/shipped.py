"""The recordings that ship with the package: scikit-learn's handwriting, espeak-ng's speech, trained weights."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.recordings.handwriting import TILE, Handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.speech import RATE, Speech

ASSETS = Path(__file__).parent / "assets"
SHIPPED_WEIGHTS = ASSETS / "spaces.safetensors"
SPEECH_AUDIO = ASSETS / "speech.flac"
SPEECH_INDEX = ASSETS / "speech.json"
SCALE = 3
"""scikit-learn's digits are 8 × 8 pixels: enlarged three times, with a margin of two, they fill a tile."""


def default_recordings() -> Recordings:
    """scikit-learn's handwritten digits and digits spoken by espeak-ng (scripts/make_digit_speech.py).

    Raises `IsthmusError` if a file of the package was altered.
    """
    return Recordings("scikit-learn digits + espeak-ng", shipped_handwriting(), shipped_speech())


def shipped_handwriting() -> Handwriting:
    """The 1797 images of scikit-learn as tiles."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Handwriting(np.stack([_tile(image) for image in found.images]), found.target.astype(np.int64))


def _tile(image: np.ndarray) -> UInt8[np.ndarray, "28 28"]:
    """An image of values 0..16 enlarged by linear interpolation."""
    size = SCALE * image.shape[0]
    place = np.clip((np.arange(size) + 0.5) / SCALE - 0.5, 0, image.shape[0] - 1)
    low = np.minimum(place.astype(int), image.shape[0] - 2)
    share = place - low
    rows = image[low] * (1 - share)[:, None] + image[low + 1] * share[:, None]
    pixels = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    tile = np.zeros((TILE, TILE), np.uint8)
    edge = (TILE - size) // 2
    tile[edge : edge + size, edge : edge + size] = np.round(pixels * 255 / 16).astype(np.uint8)
    return tile


def shipped_speech() -> Speech:
    """The spoken digits in the package."""
    import soundfile

    index = json.loads(SPEECH_INDEX.read_text())
    content = SPEECH_AUDIO.read_bytes()
    if hashlib.sha256(content).hexdigest() != index["sha256"]:
        raise IsthmusError(f"{SPEECH_AUDIO}: altered (sha256 differs from {SPEECH_INDEX.name}): reinstall isthmus")
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    assert rate == RATE
    return Speech(
        samples,
        np.array(index["offset"], dtype=np.int64),
        np.array(index["digit"], dtype=np.int64),
        np.array(index["speaker"]),
    )
