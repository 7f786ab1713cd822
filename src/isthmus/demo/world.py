"""The demo's world: the digits world of the given recordings, and the media of its items."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from isthmus.worlds.digits.build import build, retrain
from isthmus.worlds.digits.digits_world import DigitsWorld, Sizes
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.shipped import default_recordings
from isthmus.worlds.digits.recordings.speech_files import load_speech
from isthmus.worlds.world import World


@runtime_checkable
class ItemMedia(Protocol):
    """The image, waveform or words of an item by its id; `DigitsWorld` has them."""

    def image(self, item: str) -> np.ndarray:
        """Grey pixels, (height, width) uint8."""

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        """Samples in [-1, 1] and their rate."""

    def words(self, item: str) -> str:
        """What the item shows or says."""


def open_world(
    images: Path | None, speech: Path | None, seed: int, *, train: bool, gallery: int
) -> tuple[DigitsWorld, World]:
    """The digits world of the given recordings (by default the shipped ones) with its test galleries.

    With ``train`` its spaces are trained even if there are weights.
    """
    recordings = recordings_of(images, speech)
    digits = retrain(recordings) if train else build(recordings)
    return digits, digits.world("test", Sizes(gallery=gallery), seed)


def recordings_of(images: Path | None, speech: Path | None) -> Recordings:
    """Handwriting and speech from files, or the shipped ones for what is not given."""
    if images and speech:
        return Recordings(f"{images.stem} + {speech.stem}", load_handwriting(images), load_speech(speech))
    shipped = default_recordings()
    if images:
        return Recordings(f"{images.stem} + {shipped.name}", load_handwriting(images), shipped.speech)
    if speech:
        return Recordings(f"{shipped.name} + {speech.stem}", shipped.handwriting, load_speech(speech))
    return shipped
