"""Recordings: the handwriting and speech a digits world is made of, and their splits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.recordings.handwriting import Handwriting
from isthmus.worlds.digits.recordings.speech import Speech

HELD_OUT = 0.15
"""Share of the images, and of each speaker's recordings, in each of dev and test."""
LEAST_IMAGES = 10
LEAST_RECORDINGS = 4
"""Fewest tiles of a digit, and recordings of a digit by one speaker, that train, dev and test can be made of."""


@dataclass(frozen=True)
class Recordings:
    """Handwritten and spoken digits. ``name`` appears in reports: "mnist_8k + fsdd_8k"."""

    name: str
    handwriting: Handwriting
    speech: Speech

    def __post_init__(self) -> None:
        _require_every_digit(self.handwriting.digit, LEAST_IMAGES, "the images")
        speakers = self.speakers
        if len(speakers) < 2:
            raise IsthmusError(
                f"the recordings have {len(speakers)} speaker ({', '.join(speakers)}): give two or more, "
                "one of them is held out as the unseen speaker"
            )
        for speaker in speakers:
            mine = self.speech.digit[self.speech.speaker == speaker]
            _require_every_digit(mine, LEAST_RECORDINGS, f"speaker {speaker!r}")

    @property
    def speakers(self) -> list[str]:
        """The speakers' names, sorted."""
        return [str(name) for name in np.unique(self.speech.speaker)]

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that depend on every image, sample, label and speaker."""
        digest = hashlib.sha256()
        for array in (
            self.handwriting.tiles,
            self.handwriting.digit.astype(np.uint8),
            self.speech.samples,
            self.speech.offset.astype(np.int64),
            self.speech.digit.astype(np.uint8),
        ):
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        digest.update("\n".join(map(str, self.speech.speaker)).encode())
        return digest.hexdigest()[:16]


def _require_every_digit(digit: Int[np.ndarray, " n"], least: int, what: str) -> None:
    counts = np.bincount(digit, minlength=10)
    if counts.min() < least:
        rarest = int(counts.argmin())
        raise IsthmusError(
            f"{what}: digit {rarest} occurs {counts[rarest]} times, but train, dev and test need at least {least}: "
            "add examples of it"
        )


@dataclass(frozen=True)
class Splits:
    """Bank rows by split: no image and no recording is in two of them.

    ``images`` and ``seen`` (recordings of the training speakers) have train, dev and test; ``unseen`` (recordings
    of ``unseen_speaker``) has dev and test.
    """

    images: Mapping[str, Int[np.ndarray, " _"]]
    seen: Mapping[str, Int[np.ndarray, " _"]]
    unseen: Mapping[str, Int[np.ndarray, " _"]]
    unseen_speaker: str


def split_recordings(source: Recordings, seed: int, unseen_speaker: str | None = None) -> Splits:
    """Random stratified splits: of images by digit, of recordings by speaker and digit.

    The unseen speaker is by default the last in alphabetical order. Raises `IsthmusError` for an unknown one.
    """
    speakers = source.speakers
    unseen_speaker = unseen_speaker or speakers[-1]
    if unseen_speaker not in speakers:
        raise IsthmusError(f"unseen speaker {unseen_speaker!r} is not among the recordings: {', '.join(speakers)}")
    rng = np.random.default_rng([seed, 2])
    images = _split_within(source.handwriting.digit.astype(str), {"dev": HELD_OUT, "test": HELD_OUT}, rng)
    voices = np.char.add(source.speech.digit.astype(str), source.speech.speaker.astype(str))
    held_out = source.speech.speaker == unseen_speaker
    seen = _split_within(voices, {"dev": HELD_OUT, "test": HELD_OUT}, rng)
    unseen = _split_within(voices, {"dev": 0.5}, rng)
    return Splits(
        images,
        {name: rows[~held_out[rows]] for name, rows in seen.items()},
        {"dev": unseen["dev"][held_out[unseen["dev"]]], "test": unseen["train"][held_out[unseen["train"]]]},
        unseen_speaker,
    )


def _split_within(
    group: np.ndarray, shares: Mapping[str, float], rng: np.random.Generator
) -> dict[str, Int[np.ndarray, " _"]]:
    """Rows by split, the same shares of every group (at least one row); the rest is ``train``."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*shares, "train")}
    for value in np.unique(group):
        rows = rng.permutation(np.flatnonzero(group == value))
        for name, share in shares.items():
            count = max(1, round(share * len(np.flatnonzero(group == value))))
            parts[name].append(rows[:count])
            rows = rows[count:]
        parts["train"].append(rows)
    return {name: np.sort(np.concatenate(rows)) for name, rows in parts.items()}
