"""The spoken units that ship with the package: an Ogg Opus file per voice and an index (scripts/make_things_speech.py).

Opus is decoded at the rate that the file states. The files are checked by their bytes: the samples may differ in the
last bits from decoder to decoder.
"""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Int, Int16

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.worlds.things.speech.preparation import RATE
from isthmus.worlds.things.speech.recordings import SpokenUnits

ASSETS = Path(__file__).parent / "assets"
INDEX = ASSETS / "speech.json"
GAP = RATE // 25
"""Silence around recordings: 40 ms, so that what the codec smears over an edge stays outside the units."""
THREADS = 2
"""Decoders at a time; libsndfile works without the interpreter's lock."""


@cache
def shipped_speech() -> SpokenUnits:
    """The units as said by the voices of the package, decoded once per process.

    Raises:
        IsthmusError: A file was altered, or the installed libsndfile cannot decode Opus.
    """
    index = json.loads(INDEX.read_text())
    voices = index["voices"]
    bounds = np.cumsum([0, *(voice["samples"] for voice in voices.values())])
    samples = np.zeros(bounds[-1], np.int16)
    parts = [samples[first:last] for first, last in pairwise(bounds)]
    paths = [ASSETS / f"{name}.ogg" for name in voices]
    digests = tuple(voice["sha256"] for voice in voices.values())
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(decode_into, parts, paths, digests))
    samples.flags.writeable = False
    places = (places_of(np.array(voice["lengths"])) for voice in voices.values())
    start, end = (np.stack(side) + bounds[:-1, None] for side in zip(*places, strict=True))
    return SpokenUnits(tuple(voices), tuple(voice["family"] for voice in voices.values()), digests, samples, start, end)


def places_of(lengths: Int[np.ndarray, " units"]) -> tuple[Int[np.ndarray, " units"], Int[np.ndarray, " units"]]:
    """The first sample of each unit of a voice's file, and the one after its last; a gap is around each."""
    end = np.cumsum(lengths + GAP)
    return end - lengths, end


def decode_into(samples: Int16[np.ndarray, " samples"], path: Path, sha256: str) -> None:
    """Fill an array with the decoded samples of a file of the package.

    Raises:
        IsthmusError: The file is not the one with this sha256, or libsndfile cannot decode it.
    """
    import soundfile

    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise IsthmusError(f"{path}: missing or altered (sha256 differs from {INDEX.name}): reinstall isthmus")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            complete = file.samplerate == RATE and len(file.read(dtype="int16", out=samples)) == len(samples)
    except soundfile.LibsndfileError as error:
        raise IsthmusError(
            f"{path}: cannot be decoded ({reason_of(error)}): reinstall soundfile from its wheel, which decodes Opus"
        ) from error
    if not complete:
        raise IsthmusError(f"{path}: decoded to another rate or length than written: update soundfile")
