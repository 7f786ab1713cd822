"""Wording: how a scene is phrased. The image space reads one wording, the speech space reads and hears the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.scenes import TINTS, Scenes
from isthmus.worlds.things.things import things

TOKEN = re.compile(r"[a-z]+")
PADDING = 0
SPREAD = 2654435769
"""2^32 / golden ratio: multiplied by it, neighbouring numbers end up far apart (Knuth's multiplicative hash)."""
Piece = str | int
"""Part of a phrasing: words, or the number of the group that is named there."""


@dataclass(frozen=True)
class NamedGroup:
    """The words of one group: count or article, size, tint, and the noun with the number of its thing."""

    attributes: tuple[str, ...]
    noun: str
    thing: int

    def __str__(self) -> str:
        return " ".join((*self.attributes, self.noun))


@dataclass(frozen=True)
class SceneWording:
    """The phrasings of one space by number of groups, and the words for counts and sizes.

    ``one`` is the word for a single thing; an empty one stands for the article.
    """

    name: str
    one: str
    sizes: tuple[str, str, str]
    phrasings: tuple[tuple[tuple[Piece, ...], ...], ...]

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word the phrasings can produce, sorted."""
        texts = [piece for ways in self.phrasings for way in ways for piece in way if isinstance(piece, str)]
        texts += [self.one or "a an", "two three", *self.sizes, *TINTS]
        texts += [f"{thing.name} {thing.plural}" for thing in things()]
        return tuple(sorted({word for text in texts for word in TOKEN.findall(text)}))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary, 1)}

    def ways(self, scenes: Scenes, chance: np.ndarray) -> list[tuple[Piece, ...]]:
        """A phrasing for each scene; ``chance`` is a number in 0..1 for each that chooses it."""
        groups = scenes.present.sum(1)
        return [
            self.phrasings[count - 1][int(luck * len(self.phrasings[count - 1]))]
            for count, luck in zip(groups.tolist(), chance.tolist(), strict=True)
        ]

    def pieces(self, scenes: Scenes, chance: np.ndarray) -> list[list[str | NamedGroup]]:
        """The parts of each scene's sentence in order: words of the phrasing and named groups."""
        groups = np.stack([scenes.thing, scenes.count, scenes.size, scenes.tint], axis=2).tolist()
        return [
            [piece if isinstance(piece, str) else self.named(*own[piece]) for piece in way]
            for way, own in zip(self.ways(scenes, chance), groups, strict=True)
        ]

    def named(self, thing: int, count: int, size: int, tint: int) -> NamedGroup:
        """The words for one group."""
        own = things()[thing]
        noun = own.name if count == 1 else own.plural
        described = tuple(word for word in (self.sizes[size], TINTS[tint]) if word)
        number = ("two", "three")[count - 2] if count > 1 else self.one or _article((*described, noun)[0])
        return NamedGroup((number, *described), noun, thing)

    def write(self, scenes: Scenes, rng: np.random.Generator) -> list[str]:
        """Each scene in a randomly drawn phrasing."""
        return [" ".join(map(str, parts)) for parts in self.pieces(scenes, rng.random(len(scenes)))]

    def captions(self, scenes: Scenes) -> list[str]:
        """Each scene in the phrasing that its concept number determines."""
        chance = (scenes.concepts() * SPREAD % 2**32) / 2**32
        return [" ".join(map(str, parts)) for parts in self.pieces(scenes, chance)]

    def tokens(self, texts: Sequence[str]) -> Int[np.ndarray, "n words"]:
        """Word numbers from 1, `PADDING` after the last word.

        Args:
            texts: Sentences; capitals and punctuation do not count.

        Raises:
            IsthmusError: A text is empty or has a word outside the vocabulary; the message names its row.
        """
        rows = [TOKEN.findall(text.lower()) for text in texts]
        for row, words in enumerate(rows):
            unknown = [word for word in words if word not in self._numbers]
            if unknown or not words:
                problem = f"unknown word {unknown[0]!r}" if unknown else "no words"
                raise IsthmusError(
                    f"text row {row}: {problem}; the {self.name} wording of the things world knows "
                    f"{len(self.vocabulary)} words: name things of worlds/things/things.tsv"
                )
        tokens = np.full((len(rows), max(map(len, rows), default=1)), PADDING, dtype=np.int64)
        for row, words in enumerate(rows):
            tokens[row, : len(words)] = [self._numbers[word] for word in words]
        return tokens


def _article(word: str) -> str:
    # "unicorn" begins with the sound of "you".
    return "an" if word[0] in "aeio" or word.startswith("umb") else "a"


WRITTEN = SceneWording(
    "written",
    "",
    ("", "small", "large"),
    (
        ((0,), ("a picture of", 0)),
        ((0, "left of", 1), (1, "right of", 0), ("a picture of", 0, "followed by", 1)),
        (
            (0, "left of", 1, "left of", 2),
            (2, "right of", 1, "right of", 0),
            ("a picture of", 0, "followed by", 1, "and", 2),
        ),
    ),
)
"""Captions of images: "a small red dog left of two guitars"."""

SPOKEN = SceneWording(
    "spoken",
    "one",
    ("", "little", "big"),
    (
        ((0,), ("i see", 0)),
        (
            (0, "then", 1),
            ("on the left", 0, "on the right", 1),
            (0, "to the left of", 1),
            (1, "to the right of", 0),
        ),
        (
            (0, "then", 1, "then", 2),
            ("from left to right", 0, 1, "and", 2),
            ("on the left", 0, "in the middle", 1, "on the right", 2),
        ),
    ),
)
"""Sentences that are spoken, and their transcripts: "on the left one little red dog on the right two guitars"."""

WORDINGS = {wording.name: wording for wording in (WRITTEN, SPOKEN)}


def thing_spans(text: str) -> list[tuple[int, int, int]]:
    """The things a text names in order: each thing's number and the characters that name it, the end exclusive.

    Longer names win: "christmas tree" is not read as "tree".
    """
    return [(NUMBER_OF_NAME[match.group()], *match.span()) for match in _NAMES.finditer(text.lower())]


NUMBER_OF_NAME = {name: number for number, own in enumerate(things()) for name in (own.plural, own.name)}
_NAMES = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, NUMBER_OF_NAME), key=len, reverse=True)) + r")\b")
