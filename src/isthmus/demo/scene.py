"""A scene: what the demo needs of a world to show it, beside its embeddings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from isthmus.embeddings import Embeddings
from isthmus.worlds.world import World

if TYPE_CHECKING:
    from isthmus.worlds.digits.digits_world import DigitsWorld
    from isthmus.worlds.digits.recordings.recordings import Recordings


@runtime_checkable
class Scene(Protocol):
    """Items of a world to be seen, heard and read by their ids; `DigitsWorld` is one."""

    def image(self, item: str) -> np.ndarray:
        """Grey pixels, (height, width) uint8."""

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        """Samples in [-1, 1] and their rate."""

    def words(self, item: str) -> str:
        """What the item says."""


def open_scene(
    images: Path | None, speech: Path | None, seed: int, *, retrain: bool, gallery: int
) -> tuple[DigitsWorld, World]:
    """The digits world of the given recordings (by default the embedded ones) with its test galleries."""
    from isthmus.worlds.digits import build
    from isthmus.worlds.digits.digits_world import Sizes

    make = build.retrain if retrain else build.build
    digits = make(_source(images, speech))
    return digits, digits.world("test", Sizes(gallery=gallery), seed=seed)


def _source(images: Path | None, speech: Path | None) -> Recordings:
    from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
    from isthmus.worlds.digits.recordings.recordings import Recordings
    from isthmus.worlds.digits.recordings.shipped import default_recordings
    from isthmus.worlds.digits.recordings.speech_files import load_speech

    if images and speech:
        return Recordings(f"{images.stem} + {speech.stem}", load_handwriting(images), load_speech(speech))
    own = default_recordings()
    handwriting = load_handwriting(images) if images else own.handwriting
    spoken = load_speech(speech) if speech else own.speech
    if not images and not speech:
        return own
    return Recordings(
        f"{images.stem if images else own.name} + {speech.stem if speech else own.name}", handwriting, spoken
    )


def fingerprint(world: World) -> str:
    """Sixteen hexadecimal digits that follow from every vector and every truth of a world."""
    digest = hashlib.sha256()
    sets: list[Embeddings] = [*world.left.values(), *world.right.values(), *(world.pairs or ())]
    for gallery in world.galleries.values():
        sets += [gallery.left, gallery.right]
        digest.update(gallery.left_concepts.tobytes() + gallery.right_concepts.tobytes())
    for embeddings in sets:
        digest.update(embeddings.modality.encode() + np.ascontiguousarray(embeddings.vectors).tobytes())
    return digest.hexdigest()[:16]
