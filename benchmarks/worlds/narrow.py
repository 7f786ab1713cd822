"""Digits worlds with narrow memories: each memory shows some of the digits only; texts and galleries show all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.concepts import digits_of, draw_repeatedly, random_stream
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes, World


def narrow_world(
    digits: DigitsWorld, split: str, sizes: Sizes, *, image_digits: str, audio_digits: str, seed: int = 0
) -> World:
    """As `DigitsWorld.world`, with memories made of sequences of the given digits; few sequences are repeated."""

    def memory(role: str, allowed: str) -> Int[np.ndarray, " memory"]:
        if len(set(allowed)) < 2 or not set(allowed) <= set("0123456789"):
            raise IsthmusError(f"{role} memory of digits {allowed!r}: give two or more digits, like '01234'")
        concepts = digits.concepts["train"]
        fitting = concepts[np.isin(digits_of(concepts), [-1, *map(int, allowed)]).all(1)]
        return draw_repeatedly(fitting, sizes.memory, random_stream(seed, role))

    world = digits.world(split, sizes, seed)
    images = digits.embed_images(memory("image", image_digits), "train", seed)
    audio = digits.embed_audio(memory("audio", audio_digits), "train", seed)
    return replace(world, left={**world.left, "image": images}, right={**world.right, "audio": audio})
