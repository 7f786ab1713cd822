"""Sentences: recordings of units put one after the other, with a tempo, an echo and noise of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Float32, Int

from isthmus.worlds.things.scenes import Scenes
from isthmus.worlds.things.speech.recordings import RATE, SpokenUnits
from isthmus.worlds.things.speech.units import UNIT_OF_WORD, plural_unit, singular_unit
from isthmus.worlds.things.things import things
from isthmus.worlds.things.wording import SPOKEN, NamedGroup

CHANCES = 40
"""Numbers in 0..1 that determine everything that is free in one sentence."""
TEMPO = 0.12
"""Largest change of tempo and pitch, as a natural logarithm: a sentence is played faster or slower as a whole."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.12
"""Seconds between two units; the sentence begins and ends with such a pause too."""
ECHOES = 6
ECHO_SHARE = 0.5
"""How many sentences have an echo."""
LONGEST_ECHO, LOUDEST_ECHO = 0.18, 0.35
"""Delay in seconds, and amplitude relative to the voice."""
CLEANEST, NOISIEST = 40.0, 15.0
"""Noise below the voice in decibels."""
NOISE_SECONDS = 20


@dataclass(frozen=True)
class Spoken:
    """One unit in a sentence: its number, the thing it names (-1 for none), and when, in samples."""

    unit: int
    thing: int
    start: int
    end: int


@dataclass(frozen=True)
class SpokenSentence:
    """The units of one sentence by one voice, its length in samples, and the chances that its sound depends on."""

    voice: int
    parts: tuple[Spoken, ...]
    length: int
    chances: Float[np.ndarray, " chances"]

    @property
    def speed(self) -> float:
        """How many recorded samples one sample of the sentence takes."""
        return float(np.exp((2 * self.chances[1] - 1) * TEMPO))


def say(
    scenes: Scenes, voices: Int[np.ndarray, " n"], chances: Float[np.ndarray, "n chances"], bank: SpokenUnits
) -> list[SpokenSentence]:
    """A sentence for each scene in the spoken wording.

    Args:
        scenes: What is said.
        voices: The number of each sentence's voice in the bank.
        chances: `CHANCES` numbers in 0..1 for each sentence: its phrasing, tempo, pauses, echo and noise.
        bank: The recordings. A phrase that a voice lacks is left out; a plural falls back on the singular.
    """
    said = SPOKEN.pieces(scenes, chances[:, 0])
    return [
        _timed(voice, units_of(parts), own, bank)
        for voice, parts, own in zip(voices.tolist(), said, chances, strict=True)
    ]


def units_of(parts: Sequence[str | NamedGroup]) -> list[tuple[int, int]]:
    """The unit and thing numbers of a sentence's parts; the thing is -1 where none is named."""
    units = []
    for part in parts:
        if isinstance(part, str):
            units.append((UNIT_OF_WORD[part], -1))
            continue
        units += [(UNIT_OF_WORD[word], -1) for word in part.attributes]
        singular = part.attributes[0] == SPOKEN.one
        units.append((singular_unit(part.thing) if singular else plural_unit(part.thing), part.thing))
    return units


def _timed(
    voice: int, units: list[tuple[int, int]], chances: Float[np.ndarray, " chances"], bank: SpokenUnits
) -> SpokenSentence:
    speed = float(np.exp((2 * chances[1] - 1) * TEMPO))
    pauses = SHORTEST_PAUSE + chances[3:24] * (LONGEST_PAUSE - SHORTEST_PAUSE)
    at, parts = int(pauses[-1] * RATE), []
    for (unit, thing), pause in zip(units, pauses, strict=False):
        own = _available(voice, unit, thing, bank)
        if own is None:
            continue
        length = int((bank.end[voice, own] - bank.start[voice, own]) / speed)
        parts.append(Spoken(own, thing, at, at + length))
        at += length + int(pause * RATE)
    return SpokenSentence(voice, tuple(parts), at, chances)


def _available(voice: int, unit: int, thing: int, bank: SpokenUnits) -> int | None:
    """The unit, or the singular where a voice lacks a plural; None where it has neither."""
    candidates = (unit,) if thing < 0 else (unit, singular_unit(thing))
    return next((own for own in candidates if bank.start[voice, own] >= 0), None)


def waveform(sentence: SpokenSentence, bank: SpokenUnits) -> Float32[np.ndarray, " samples"]:
    """The samples of a sentence at 16 kHz in [-1, 1]."""
    sound = np.zeros(sentence.length, np.float32)
    for part in sentence.parts:
        recorded = bank.unit(sentence.voice, part.unit)
        sound[part.start : part.end] = _resampled(recorded, part.end - part.start, sentence.speed)
    voice_power = float(np.mean(np.square(sound))) + 1e-9
    sound = _with_echo(sound, sentence.chances[24:38])
    noise = _noise()
    first = int(sentence.chances[38] * (len(noise) - sentence.length))
    decibels = CLEANEST + (NOISIEST - CLEANEST) * sentence.chances[39]
    sound += noise[first : first + sentence.length] * np.float32(np.sqrt(voice_power * 10 ** (-decibels / 10)))
    return np.clip(sound, -1, 1)


def _resampled(recorded: Float32[np.ndarray, " n"], length: int, speed: float) -> Float32[np.ndarray, " length"]:
    """``length`` samples at steps of ``speed``, linearly interpolated."""
    place = np.arange(length, dtype=np.float32) * np.float32(speed)
    low = np.minimum(place.astype(np.int32), len(recorded) - 2)
    share = place - low.astype(np.float32)
    first = recorded[low]
    return first + share * (recorded[low + 1] - first)


def _with_echo(sound: Float32[np.ndarray, " n"], chances: Float[np.ndarray, " 14"]) -> Float32[np.ndarray, " n"]:
    """Sound with a few decaying echoes, in half of the sentences."""
    if chances[0] > ECHO_SHARE:
        return sound
    heard = sound.copy()
    for delay, sign in zip(chances[2 : 2 + ECHOES], chances[2 + ECHOES : 2 + 2 * ECHOES], strict=True):
        samples = 1 + int(delay * LONGEST_ECHO * RATE)
        strength = LOUDEST_ECHO * chances[1] * 10 ** (-1.5 * delay) * (1 if sign > 0.5 else -1)
        heard[samples:] += np.float32(strength) * sound[:-samples]
    return heard


@cache
def _noise() -> Float32[np.ndarray, " samples"]:
    """Noise of unit power whose spectrum falls with frequency, as that of rooms does."""
    from scipy.signal import lfilter

    white = np.random.default_rng(0).standard_normal(NOISE_SECONDS * RATE)
    coloured = lfilter([1.0], [1.0, -0.9], white)
    return (coloured / coloured.std()).astype(np.float32)


def words_said(sentence: SpokenSentence) -> list[tuple[str, float, float]]:
    """Each unit of a sentence as text with its start and end in seconds."""
    names = {unit: word for word, unit in UNIT_OF_WORD.items()}
    said = []
    for part in sentence.parts:
        if part.thing < 0:
            text = names[part.unit]
        else:
            own = things()[part.thing]
            text = own.name if part.unit == singular_unit(part.thing) else own.plural
        said.append((text, part.start / RATE, part.end / RATE))
    return said
