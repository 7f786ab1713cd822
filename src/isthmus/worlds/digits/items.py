"""Item ids: they spell out the item, so that it can be shown again from its id alone.

A picture is ``370:12@4+77@45+300@90`` (sequence, then row of the bank @ left edge in pixels for each digit); an
utterance ``370:88@2+140@31+12@60/95`` (row @ start in hops, then the length of the whole); a text ``370``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.concepts import MAX_LENGTH
from isthmus.worlds.digits.recordings.handwriting import Pictures
from isthmus.worlds.digits.recordings.speech import Utterances

ITEM = re.compile(r"(?P<digits>[0-9]{3,5})(?::(?P<places>[0-9]+@[0-9]+(?:\+[0-9]+@[0-9]+)*)(?:/(?P<length>[0-9]+))?)?")


def text_ids(concepts: Int[np.ndarray, " n"]) -> list[str]:
    """The digits of each sequence."""
    return [str(concept)[1:] for concept in concepts.tolist()]


def picture_ids(concepts: Int[np.ndarray, " n"], pictures: Pictures) -> list[str]:
    """One id for each picture."""
    places = _places(pictures.tiles, pictures.lefts)
    return [f"{text}:{place}" for text, place in zip(text_ids(concepts), places, strict=True)]


def utterance_ids(concepts: Int[np.ndarray, " n"], utterances: Utterances) -> list[str]:
    """One id for each utterance."""
    places = _places(utterances.recordings, utterances.starts)
    rows = zip(text_ids(concepts), places, utterances.lengths.tolist(), strict=True)
    return [f"{text}:{place}/{length}" for text, place, length in rows]


def _places(rows: Int[np.ndarray, "n 5"], starts: Int[np.ndarray, "n 5"]) -> list[str]:
    return [
        "+".join(f"{row}@{start}" for row, start in zip(*item, strict=True) if row >= 0)
        for item in zip(rows.tolist(), starts.tolist(), strict=True)
    ]


def digits_in(item: str) -> list[int]:
    """The digits of any item. Raises `IsthmusError` where the id is none of this world's."""
    return [int(digit) for digit in _parsed(item)["digits"]]


def picture_of(item: str) -> Pictures:
    """The picture an id stands for, alone. Raises `IsthmusError` where it stands for none."""
    match = _parsed(item)
    if not match["places"] or match["length"]:
        raise IsthmusError(f"item {item!r} is no picture of the digits world; pass an id of its image embeddings")
    return Pictures(*_unpacked(match["places"]))


def utterance_of(item: str) -> Utterances:
    """The utterance an id stands for, alone. Raises `IsthmusError` where it stands for none."""
    match = _parsed(item)
    if not match["length"]:
        raise IsthmusError(f"item {item!r} is no utterance of the digits world; pass an id of its audio embeddings")
    return Utterances(*_unpacked(match["places"]), np.array([int(match["length"])]))


def parse_pictures(items: Sequence[str]) -> Pictures:
    """The pictures that ids stand for."""
    found = [picture_of(item) for item in items]
    return Pictures(*(np.concatenate([getattr(own, name) for own in found]) for name in ("tiles", "lefts")))


def parse_utterances(items: Sequence[str]) -> Utterances:
    """The utterances that ids stand for."""
    found = [utterance_of(item) for item in items]
    names = ("recordings", "starts", "lengths")
    return Utterances(*(np.concatenate([getattr(own, name) for own in found]) for name in names))


def _parsed(item: str) -> re.Match[str]:
    match = ITEM.fullmatch(item)
    if match is None:
        raise IsthmusError(f"item {item!r} is not of the digits world; pass an id of its embeddings")
    return match


def _unpacked(places: str) -> tuple[Int[np.ndarray, "1 5"], Int[np.ndarray, "1 5"]]:
    pairs = [pair.split("@") for pair in places.split("+")]
    return _padded([int(row) for row, _ in pairs]), _padded([int(start) for _, start in pairs])


def _padded(values: Sequence[int]) -> Int[np.ndarray, "1 5"]:
    row = np.full((1, MAX_LENGTH), -1, dtype=np.int64)
    row[0, : len(values)] = values
    return row
