"""Tiny CLIP and CLAP checkpoints, and a connector of their spaces."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import isthmus
from isthmus.spaces import Space
from media_files import tones


def connected(checkpoints: Callable[[str], Path]) -> tuple[isthmus.Connector, list[Space]]:
    """A connector of both spaces through text, and the spaces, CLIP first."""
    clip, clap = (isthmus.load_space(f"{family}:{checkpoints(family)}", device="cpu") for family in ("clip", "clap"))
    draw = np.random.default_rng(0)
    texts = ["".join(draw.choice(list("abcdefgh ijkl"), 12)) for _ in range(60)]
    images = [picture(seed) for seed in range(12)]
    sounds = [(tones(0.5, 8000, seed), 8000) for seed in range(12)]
    sides = (
        {"text": clip.encode(texts, modality="text"), "image": clip.encode(images, modality="image")},
        {"text": clap.encode(texts, modality="text"), "audio": clap.encode(sounds, modality="audio")},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # random encoders agree on nothing
        return isthmus.connect(*sides, method="procrustes", force=True), [clip, clap]


def picture(seed: int) -> np.ndarray:
    """An image of random pixels."""
    return np.random.default_rng(seed).integers(0, 255, (48, 40, 3), dtype=np.uint8)
