"""Wording: how a sequence is phrased as text. The two spaces are trained on different wordings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.spaces.text_towers import PADDING

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGIT_OF_WORD = {**{name: n for n, name in enumerate(NAMES)}, **{str(n): n for n in range(10)}, "oh": 0}
TOKEN = re.compile(r"[a-z]+|[0-9]")
SPREAD = 2654435769
"""2^32 / golden ratio: multiplied by it, neighbouring numbers end up far apart (Knuth's multiplicative hash)."""


@dataclass(frozen=True)
class Phrasing:
    """One way to phrase a sequence: text before, names of the digits, separator, text after."""

    before: str
    names: tuple[str, ...]
    between: str
    after: str = ""

    def write(self, digits: Sequence[int]) -> str:
        """The sequence as text."""
        return self.before + self.between.join(self.names[digit] for digit in digits) + self.after


@dataclass(frozen=True)
class Wording:
    """The phrasings of one space, drawn with equal chance, and the words its text tower knows."""

    name: str
    phrasings: tuple[Phrasing, ...]

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word the phrasings can produce, sorted."""
        texts = (phrasing.write(range(10)) for phrasing in self.phrasings)
        return tuple(sorted({word for text in texts for word in TOKEN.findall(text)}))

    def write(self, digits: Int[np.ndarray, "n 5"], rng: np.random.Generator) -> list[str]:
        """Each sequence in a randomly drawn phrasing."""
        choice = rng.integers(0, len(self.phrasings), len(digits))
        return [
            self.phrasings[number].write([digit for digit in row if digit >= 0])
            for number, row in zip(choice, digits.tolist(), strict=True)
        ]

    def caption(self, concept: int, digits: Sequence[int]) -> str:
        """A sequence in the phrasing that its concept number determines."""
        return self.phrasings[concept * SPREAD % 2**32 * len(self.phrasings) // 2**32].write(digits)

    def tokens(self, texts: Sequence[str]) -> Int[np.ndarray, "n words"]:
        """Word numbers from 1, `PADDING` after the last word.

        Raises `IsthmusError` naming the row of a text that is empty or has a word outside the vocabulary.
        """
        number = {word: n for n, word in enumerate(self.vocabulary, 1)}
        rows = [TOKEN.findall(text.lower()) for text in texts]
        for row, words in enumerate(rows):
            unknown = [word for word in words if word not in number]
            if unknown or not words:
                problem = f"unknown word {unknown[0]!r}" if unknown else "no words"
                raise IsthmusError(f"text row {row}: {problem}; the digits world only reads: {' '.join(number)}")
        tokens = np.full((len(rows), max(map(len, rows), default=1)), PADDING, dtype=np.int64)
        for row, words in enumerate(rows):
            tokens[row, : len(words)] = [number[word] for word in words]
        return tokens


def digit_spans(text: str) -> list[tuple[int, int]]:
    """The character span of each digit in a text, the end exclusive."""
    return [match.span() for match in TOKEN.finditer(text.lower()) if match.group() in DIGIT_OF_WORD]


NUMERALS = tuple("0123456789")
OH = ("oh", *NAMES[1:])

SPELLED = Wording(
    "spelled",
    (
        Phrasing("", OH, " "),
        Phrasing("", NAMES, " "),
        Phrasing("a photo of ", OH, " "),
        Phrasing("", NAMES, " ", " in handwriting"),
    ),
)
"""Captions of images: "three seven oh", "a photo of three seven oh"."""

READ_OUT = Wording(
    "read out",
    (
        Phrasing("digits: ", NUMERALS, " "),
        Phrasing("", NAMES, ", "),
        Phrasing("a voice says ", NUMERALS, " "),
        Phrasing("someone speaking: ", NAMES, ", "),
    ),
)
"""Captions of audio clips: "digits: 3 7 0", "three, seven, zero"."""

WORDINGS = {wording.name: wording for wording in (SPELLED, READ_OUT)}
