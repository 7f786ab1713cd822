"""Spoken units from a folder of sound files that are named by what they say."""

from __future__ import annotations

import hashlib
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Int16

from isthmus.base.errors import IsthmusError
from isthmus.media.readers.audio import read_audio
from isthmus.media.source import LocalFile, UnreadableError, sha256_of_source
from isthmus.worlds.things.speech.preparation import RATE, prepared
from isthmus.worlds.things.speech.recordings import SpokenUnits, as_int16
from isthmus.worlds.things.speech.units import unit_texts

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")
WANTED = "name sound files by what they say, like dog.wav, dogs.wav, on_the_left.wav, in a folder or in one per voice"
SHORTEST_SECONDS, LONGEST_SECONDS = 0.05, 5.0
"""A word that is shorter is a click, a phrase that is longer is more than a phrase."""
NAMED = 3
"""How many of the files left out a warning names."""


def read_speech(folder: Path) -> SpokenUnits:
    """Read recordings of units from files named by what they say, such as ``dogs.wav`` or ``christmas_tree.mp3``.

    Args:
        folder: WAV, FLAC, Ogg or MP3 files of any rate. Those in a subfolder are of the voice that it names; without
            subfolders, all are of one voice with the name of the folder. Upper case, ``_`` and ``-`` do not count. A
            name that is a thing's singular and plural, such as ``deer``, stands for both.

    Returns:
        The recordings at 16 kHz, trimmed and at the level of the shipped ones; each voice may lack units. All voices
        are of one family, which has the folder's name.

    Raises:
        IsthmusError: No file names a unit, two of a voice name the same one, or a file is damaged, silent, shorter
            than 0.05 s or longer than 5 s.
    """
    name = folder.resolve().name
    files = _files_by_voice(folder, name)
    units = len(unit_texts())
    start, end = (np.full((len(files), units), -1, np.int64) for _ in range(2))
    parts, digests, place = [], [], 0
    for row, named in enumerate(files.values()):
        digest = hashlib.sha256()
        for text, path in named.items():
            samples = _read(path)
            numbers = list(_units_of_text()[text])
            start[row, numbers], end[row, numbers] = place, place + len(samples)
            place += len(samples)
            parts.append(samples)
            digest.update(f"{text} {sha256_of_source(LocalFile(path))}\n".encode())
        digests.append(digest.hexdigest())
    return SpokenUnits(tuple(files), (name,) * len(files), tuple(digests), np.concatenate(parts), start, end)


def _files_by_voice(folder: Path, name: str) -> dict[str, dict[str, Path]]:
    """For each voice the file of each text; warns of files that name none."""
    if not folder.is_dir():
        raise IsthmusError(f"{folder}: {'not a folder' if folder.exists() else 'not found'}: {WANTED}")
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    subfolders = [path for path in inside if path.is_dir()]
    unknown: list[Path] = []
    voices = {path.name: _files_by_text(sorted(path.iterdir()), unknown) for path in subfolders}
    found = {voice: named for voice, named in voices.items() if named}
    if own := _files_by_text(inside, unknown):
        if found:
            raise IsthmusError(
                f"{folder}: has recordings, and so have its subfolders: move {next(iter(own.values())).name} and the "
                "others into a subfolder that names their voice"
            )
        found = {name: own}
    if not found:
        raise IsthmusError(f"{folder}: no sound file in it names a thing or a word: {WANTED}")
    if unknown:
        examples = ", ".join(path.name for path in unknown[:NAMED]) + (", ..." if len(unknown) > NAMED else "")
        warnings.warn(f"{folder}: left out {len(unknown)} files whose names are no units: {examples}", stacklevel=3)
    return found


def _files_by_text(files: list[Path], unknown: list[Path]) -> dict[str, Path]:
    """The file of each text, in the order of the texts; other sound files are added to ``unknown``."""
    found: dict[str, Path] = {}
    for path in files:
        if path.suffix.lower() not in SUFFIXES or path.name.startswith(".") or path.is_dir():
            continue
        text = " ".join(path.stem.lower().replace("_", " ").replace("-", " ").split())
        if text not in _units_of_text():
            unknown.append(path)
        elif text in found:
            raise IsthmusError(f"{path}: {found[text].name} says the same: keep one of them")
        else:
            found[text] = path
    return {text: found[text] for text in _units_of_text() if text in found}


@cache
def _units_of_text() -> dict[str, tuple[int, ...]]:
    """The numbers of the units in which each text is said."""
    numbers: dict[str, tuple[int, ...]] = {}
    for number, text in enumerate(unit_texts()):
        numbers[text] = (*numbers.get(text, ()), number)
    return numbers


def _read(path: Path) -> Int16[np.ndarray, " length"]:
    """One recording as it is kept."""
    try:
        heard = read_audio(path, RATE)
    except UnreadableError as error:
        raise IsthmusError(f"{error}: replace or remove it") from error
    seconds = heard.spans[-1][1]
    if seconds > LONGEST_SECONDS:
        raise IsthmusError(f"{path}: lasts {seconds:.1f} s, a word or phrase at most {LONGEST_SECONDS:g} s: cut it")
    kept = prepared(np.concatenate(heard.samples))
    if len(kept) < SHORTEST_SECONDS * RATE:
        raise IsthmusError(f"{path}: silent or too short ({len(kept) / RATE:.2f} s): replace or remove it")
    return as_int16(kept)
