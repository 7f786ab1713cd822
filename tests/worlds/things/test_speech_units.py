"""The units of speech, and the recordings of them that ship with the package."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.speech.preparation import LEVEL, MARGIN, PEAK, RATE, prepared
from isthmus.worlds.things.speech.shipped import ASSETS, INDEX, decode_into, places_of, shipped_speech
from isthmus.worlds.things.speech.units import UNIT_OF_WORD, plural_unit, singular_unit, unit_texts
from isthmus.worlds.things.things import TABLE

MOST_BYTES = 4_300_000


def voices_in_index() -> dict[str, dict]:
    return json.loads(INDEX.read_text())["voices"]


def test_every_thing_has_a_singular_and_a_plural_unit() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for thing, row in enumerate(rows):
        assert unit_texts()[singular_unit(thing)] == row["thing"]
        assert unit_texts()[plural_unit(thing)] == row["plural"]
    assert len(unit_texts()) == 2 * len(rows) + len(UNIT_OF_WORD)


def test_a_text_means_one_thing_or_one_word() -> None:
    """A text may stand for singular and plural of a thing; otherwise a file named by it would be ambiguous."""
    texts, things = np.array(unit_texts()), len(unit_texts()) - len(UNIT_OF_WORD)
    for text in np.unique(texts):
        numbers = np.flatnonzero(texts == text)
        assert len(numbers) == 1 or (len(numbers) == 2 and numbers[1] - numbers[0] == things // 2)


def test_words_have_the_units_of_their_texts() -> None:
    assert all(unit_texts()[number] == word for word, number in UNIT_OF_WORD.items())
    assert list(UNIT_OF_WORD)[:5] == ["one", "two", "three", "little", "big"]


def test_a_recording_is_trimmed_and_levelled() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    quiet, loud = (prepared(np.concatenate([np.zeros(4000), gain * tone, np.zeros(9000)])) for gain in (0.003, 0.9))
    np.testing.assert_allclose(quiet, loud, atol=1e-6)
    assert abs(len(loud) - RATE - 2 * MARGIN) <= 160
    assert np.sqrt(np.mean(loud[MARGIN:-MARGIN] ** 2)) == pytest.approx(LEVEL, rel=0.02)


def test_a_peaky_recording_does_not_clip() -> None:
    clicks = np.zeros(RATE)
    clicks[::400] = 1.0
    clicks[1::2] += 0.02
    assert np.abs(prepared(clicks)).max() == pytest.approx(PEAK)


def test_silence_leaves_nothing() -> None:
    assert len(prepared(np.zeros(RATE))) == len(prepared(np.zeros(0))) == 0


def test_every_shipped_voice_says_every_unit_for_a_plausible_time() -> None:
    """The order is checked by the lengths: what has more letters takes longer, in every voice."""
    letters = np.array([len(text) for text in unit_texts()])
    for voice in voices_in_index().values():
        start, end = places_of(np.array(voice["lengths"]))
        seconds = (end - start) / RATE
        assert seconds.min() > 0.12
        assert seconds.max() < 1.8
        assert (start[1:] > end[:-1]).all()
        assert end[-1] < voice["samples"]
        assert np.corrcoef(letters, seconds)[0, 1] > 0.6


def test_the_shipped_voices_are_of_several_families_and_fit_the_package() -> None:
    voices = voices_in_index()
    assert sum((ASSETS / f"{name}.ogg").stat().st_size for name in voices) <= MOST_BYTES
    assert {voice["family"] for voice in voices.values()} == {"espeak", "klatt", "flite"}
    assert all(f"`{name}`" in (ASSETS / "LICENCES.md").read_text() for name in voices)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    name, voice = next(iter(voices_in_index().items()))
    content = bytearray((ASSETS / f"{name}.ogg").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "altered.ogg").write_bytes(content)
    for path in (tmp_path / "altered.ogg", tmp_path / "absent.ogg"):
        with pytest.raises(IsthmusError, match=rf"{path.name}: missing or altered .* reinstall isthmus"):
            decode_into(np.zeros(9, np.int16), path, voice["sha256"])


@pytest.mark.slow
def test_decoded_units_are_where_the_index_says() -> None:
    """Between units it is silent, within them as loud as they were made."""
    speech = shipped_speech()
    assert speech.voices == tuple(voices_in_index())
    for voice in range(len(speech.voices)):
        assert not speech.missing(voice)
        start, end = speech.start[voice], speech.end[voice]
        gaps = speech.samples[(end[:-1, None] + np.arange(160, 480)).ravel()].astype(float) / 2**15
        said = np.concatenate([speech.unit(voice, unit)[MARGIN:-MARGIN] for unit in range(len(start))])
        assert np.sqrt(np.mean(gaps**2)) < 0.03 * LEVEL
        assert 0.7 * LEVEL < np.sqrt(np.mean(said**2)) < 1.1 * LEVEL


@pytest.mark.slow
def test_a_file_decodes_to_the_same_samples_from_its_start_and_after_a_seek() -> None:
    """A wrong time in the file makes the two differ by the delay of the encoder."""
    name, voice = next(iter(voices_in_index().items()))
    samples = np.zeros(voice["samples"], np.int16)
    decode_into(samples, ASSETS / f"{name}.ogg", voice["sha256"])
    sought, rate = soundfile.read(ASSETS / f"{name}.ogg", dtype="int16", start=RATE)
    assert rate == RATE
    difference = sought[RATE:].astype(int) - samples[2 * RATE :]
    assert np.sqrt(np.mean(difference**2.0)) < 0.001 * LEVEL * 2**15


@pytest.mark.slow
def test_voices_can_be_chosen() -> None:
    speech = shipped_speech()
    chosen = speech.of_voices(["slt", "ada"])
    assert chosen.voices == ("slt", "ada")
    assert chosen.families == ("flite", "espeak")
    np.testing.assert_array_equal(chosen.unit(0, 17), speech.unit(speech.voices.index("slt"), 17))
    assert chosen.fingerprint != speech.fingerprint
    with pytest.raises(IsthmusError, match="voice 'nobody' is not among the recordings: ada"):
        speech.of_voices(["nobody"])
