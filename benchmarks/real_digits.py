"""The command line of the benchmarks of codes: handwriting and speech, seeds, and the file for figures."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from digits import spaces_recipe
from isthmus.worlds.digits.build import build
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.speech_files import load_speech


@dataclass(frozen=True)
class RealDigits:
    """Handwriting and speech from files, the number of seeds, and the file for figures."""

    source: Recordings
    seeds: int
    out: Path

    def world_of(self, seed: int) -> DigitsWorld:
        """The digits world of a seed, with its own two spaces."""
        return build(self.source, spaces_recipe(seed))


def real_digits(description: str, out: str = "figures.json") -> RealDigits:
    """Read the command line of a benchmark whose docstring is ``description``."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=Path, required=True)
    options.add_argument("--speech", type=Path, required=True)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path(out))
    given = options.parse_args()
    source = Recordings("real digits", load_handwriting(given.images), load_speech(given.speech))
    return RealDigits(source, given.seeds, given.out)
