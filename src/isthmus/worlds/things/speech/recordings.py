"""Recordings: every unit as each voice says it, one after the other in one array."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, Int16

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.speech.preparation import RATE
from isthmus.worlds.things.speech.units import unit_texts

__all__ = ["RATE", "SpokenUnits"]
FULL_SCALE = 2**15
"""What amplitude 1 is as an int16."""


@dataclass(frozen=True)
class SpokenUnits:
    """The units as said by several voices, mono at 16 kHz.

    Args:
        voices: Name of each voice.
        families: For each voice the name of its family: voices made alike share it.
        digests: For each voice a text that changes when the bytes of its files do.
        samples: All recordings, one after the other.
        start: For each voice and unit its first sample, -1 if the voice lacks it.
        end: The same for the sample after its last.
    """

    voices: tuple[str, ...]
    families: tuple[str, ...]
    digests: tuple[str, ...]
    samples: Int16[np.ndarray, " samples"]
    start: Int[np.ndarray, "voices units"]
    end: Int[np.ndarray, "voices units"]

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that depend on the bytes of all files, and on where each unit is in them.

        Not on the decoded samples: decoders of Opus and MP3 differ in the last bit from version to version.
        """
        places = [self.voices, self.families, self.digests, (self.end - self.start).tolist()]
        return hashlib.sha256(json.dumps(places).encode()).hexdigest()[:16]

    def unit(self, voice: int, unit: int) -> Float32[np.ndarray, " length"]:
        """One recording in [-1, 1], by the number of the voice and of the unit.

        Raises:
            IsthmusError: The voice lacks the unit.
        """
        start, end = int(self.start[voice, unit]), int(self.end[voice, unit])
        if start < 0:
            raise IsthmusError(f"voice {self.voices[voice]!r} lacks a recording of {unit_texts()[unit]!r}: add it")
        return self.samples[start:end].astype(np.float32) / np.float32(FULL_SCALE)

    def missing(self, voice: int) -> tuple[str, ...]:
        """The texts of the units that a voice lacks, each once."""
        texts = unit_texts()
        return tuple(dict.fromkeys(texts[unit] for unit in np.flatnonzero(self.start[voice] < 0)))

    def of_voices(self, names: Sequence[str]) -> SpokenUnits:
        """The same recordings with these voices only, in this order.

        Raises:
            IsthmusError: A name is none of the voices.
        """
        for name in names:
            if name not in self.voices:
                raise IsthmusError(f"voice {name!r} is not among the recordings: {', '.join(self.voices)}")
        rows = [self.voices.index(name) for name in names]
        families, digests = (tuple(of[row] for row in rows) for of in (self.families, self.digests))
        return SpokenUnits(tuple(names), families, digests, self.samples, self.start[rows], self.end[rows])


def as_int16(samples: Float32[np.ndarray, " length"]) -> Int16[np.ndarray, " length"]:
    """Samples in [-1, 1] as `SpokenUnits` keeps them."""
    return np.clip(np.round(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
