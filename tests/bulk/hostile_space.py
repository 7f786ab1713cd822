"""A space of a user's own whose preparation does what broken libraries do: it dies, hangs or eats memory.

Each process that loads it leaves its pid in the folder $STAGE_PIDS, if that is set.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isthmus.media import Item, UnreadableError, read_audio, read_image, read_points, read_video
from isthmus.media.listing.request import SUFFIXES
from isthmus.spaces import EncoderInputs, Weights
from isthmus.spaces.encoders.precomputed import Precomputed
from isthmus.spaces.families import PRECOMPUTED


@dataclass(frozen=True)
class Acting:
    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        if os.environ.get("STAGE_HANGS_BUT_IN", str(os.getpid())) != str(os.getpid()):
            time.sleep(600)
        return "acting"

    def __call__(self, item: Item) -> EncoderInputs:
        what = item.text
        if item.source is not None:
            with item.source.open() as file:
                what = file.read().decode()
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hang":
            time.sleep(600)
        if what == "grow":
            np.ones(20 * 2**30, np.uint8)
        if what == "slow":
            time.sleep(0.05)
        if what == "broken":
            raise UnreadableError(f"{item.name}: broken on purpose")
        seed = sum(map(ord, item.id))
        return {"vector": np.random.default_rng(seed).standard_normal((1, 8)).astype(np.float32)}


@dataclass(frozen=True)
class Reading:
    """Reads media of every kind, told by their suffix."""

    padding: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = "reading"

    def __call__(self, item: Item) -> EncoderInputs:
        kinds = ("image", "points", "video", "audio")
        kind = next(kind for kind in kinds if item.id.lower().endswith(SUFFIXES[kind]))
        if kind == "image":
            read_image(item.source)
        elif kind == "audio":
            read_audio(item.source, 8000)
        elif kind == "video":
            read_video(item.source, 4)
        else:
            read_points(item.source, 10_000)
        return {"vector": np.ones((1, 8), np.float32)}


@dataclass(frozen=True)
class Stage(Precomputed):
    def preparation(self, modality: str) -> Acting | Reading:
        return Reading() if modality == "video" else Acting()


def load(weights: Weights) -> Stage:
    if "STAGE_PIDS" in os.environ:
        (Path(os.environ["STAGE_PIDS"]) / str(os.getpid())).touch()
    return Stage("1")


STAGE = replace(
    PRECOMPUTED, name="stage", modalities=("text", "image", "video"), loader="hostile_space:load", kind=None
)
