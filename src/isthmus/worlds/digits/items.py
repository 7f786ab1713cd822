"""Item ids: they describe the item completely, so it can be made again from its id alone.

An image is ``370:12@4+77@45+300@90`` (sequence, then bank row @ left edge in pixels for each digit), an audio clip
``370:88@2+140@31+12@60/95`` (bank row @ start in hops, then the total length), a text ``370``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.concepts import MAX_LENGTH
from isthmus.worlds.digits.recordings.handwriting import ImageLayouts
from isthmus.worlds.digits.recordings.speech import AudioLayouts

ITEM = re.compile(r"(?P<digits>[0-9]{3,5})(?::(?P<places>[0-9]+@[0-9]+(?:\+[0-9]+@[0-9]+)*)(?:/(?P<length>[0-9]+))?)?")


def text_ids(concepts: Int[np.ndarray, " n"]) -> list[str]:
    """The digits of each sequence."""
    return [str(concept)[1:] for concept in concepts.tolist()]


def image_ids(concepts: Int[np.ndarray, " n"], layouts: ImageLayouts) -> list[str]:
    """One id per image."""
    places = _places(layouts.tiles, layouts.lefts)
    return [f"{text}:{place}" for text, place in zip(text_ids(concepts), places, strict=True)]


def audio_ids(concepts: Int[np.ndarray, " n"], layouts: AudioLayouts) -> list[str]:
    """One id per audio clip."""
    places = _places(layouts.recordings, layouts.starts)
    rows = zip(text_ids(concepts), places, layouts.lengths.tolist(), strict=True)
    return [f"{text}:{place}/{length}" for text, place, length in rows]


def _places(rows: Int[np.ndarray, "n 5"], starts: Int[np.ndarray, "n 5"]) -> list[str]:
    return [
        "+".join(f"{row}@{start}" for row, start in zip(*item, strict=True) if row >= 0)
        for item in zip(rows.tolist(), starts.tolist(), strict=True)
    ]


def digits_in(item: str) -> list[int]:
    """The digits of any item; raises `IsthmusError` for an id of another world."""
    return [int(digit) for digit in _parsed(item)["digits"]]


def image_of(item: str) -> ImageLayouts:
    """The layout of one image; raises `IsthmusError` if the id is not an image id."""
    match = _parsed(item)
    if not match["places"] or match["length"]:
        raise IsthmusError(f"item {item!r} is not an image of the digits world: pass an id of its image embeddings")
    return ImageLayouts(*_unpacked(match["places"]))


def audio_of(item: str) -> AudioLayouts:
    """The layout of one audio clip; raises `IsthmusError` if the id is not an audio id."""
    match = _parsed(item)
    if not match["length"]:
        raise IsthmusError(f"item {item!r} is not audio of the digits world: pass an id of its audio embeddings")
    return AudioLayouts(*_unpacked(match["places"]), np.array([int(match["length"])]))


def parse_images(items: Sequence[str]) -> ImageLayouts:
    """The layouts of the images with these ids."""
    found = [image_of(item) for item in items]
    return ImageLayouts(*(np.concatenate([getattr(own, name) for own in found]) for name in ("tiles", "lefts")))


def parse_audio(items: Sequence[str]) -> AudioLayouts:
    """The layouts of the audio clips with these ids."""
    found = [audio_of(item) for item in items]
    names = ("recordings", "starts", "lengths")
    return AudioLayouts(*(np.concatenate([getattr(own, name) for own in found]) for name in names))


def _parsed(item: str) -> re.Match[str]:
    match = ITEM.fullmatch(item)
    if match is None:
        raise IsthmusError(f"item {item!r} does not belong to the digits world: pass an id of its embeddings")
    return match


def _unpacked(places: str) -> tuple[Int[np.ndarray, "1 5"], Int[np.ndarray, "1 5"]]:
    pairs = [pair.split("@") for pair in places.split("+")]
    return _padded([int(row) for row, _ in pairs]), _padded([int(start) for _, start in pairs])


def _padded(values: Sequence[int]) -> Int[np.ndarray, "1 5"]:
    row = np.full((1, MAX_LENGTH), -1, dtype=np.int64)
    row[0, : len(values)] = values
    return row
