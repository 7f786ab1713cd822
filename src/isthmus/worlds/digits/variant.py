"""Variants: the same two trained spaces, with what a user has of them made harder."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.base.errors import IsthmusError


@dataclass(frozen=True)
class Variant:
    """How many texts, memories and pairs there are, what they speak of, how wrong captions are, how large the gap.

    ``image_digits`` and ``audio_digits`` are the digits that occur in each memory; texts and galleries have all.
    ``wrong_words`` is the share of digit words replaced by another digit in the texts of the audio space.
    ``gap`` is the distance between the means of the two modalities of a space (about 0.8 in CLIP); it is made by
    adding one fixed direction to texts and subtracting it from items before normalisation. 0 leaves what training
    gave.
    """

    name: str = "plain"
    texts: int = 12_000
    memory: int = 8_000
    pairs: int = 8_000
    gallery: int = 1_000
    image_digits: str = "0123456789"
    audio_digits: str = "0123456789"
    wrong_words: float = 0.0
    gap: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for option, digits in (("image_digits", self.image_digits), ("audio_digits", self.audio_digits)):
            if len(set(digits)) < 2 or not set(digits) <= set("0123456789"):
                raise IsthmusError(f"{option} is {digits!r}: give two or more digits, like '01234'")
        if not 0 <= self.wrong_words <= 1:
            raise IsthmusError(f"wrong_words is {self.wrong_words}: give a share from 0 to 1")
        if not 0 <= self.gap < 1.5:
            raise IsthmusError(f"gap is {self.gap}: give a distance from 0 to below 1.5")
        if min(self.texts, self.gallery) < 1 or min(self.memory, self.pairs) < 0:
            raise IsthmusError("texts and gallery must be at least 1, memory and pairs at least 0")
