"""A space of a user's own whose preparation does what broken libraries do: it dies, hangs or eats memory."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from isthmus.media import Item, UnreadableError
from isthmus.spaces import EncoderInputs, Weights
from isthmus.spaces.encoders.precomputed import Precomputed
from isthmus.spaces.families import PRECOMPUTED


@dataclass(frozen=True)
class Acting:
    padding: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = "acting"

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
class Stage(Precomputed):
    def preparation(self, modality: str) -> Acting:
        return Acting()


def load(weights: Weights) -> Stage:
    return Stage("1")


STAGE = replace(PRECOMPUTED, name="stage", modalities=("text", "image"), loader="hostile_space:load", kind=None)
