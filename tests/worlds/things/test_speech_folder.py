"""Spoken units from a folder of files named by what they say, and what is wrong with such folders."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.speech.folder import read_speech
from isthmus.worlds.things.speech.preparation import LEVEL, MARGIN, RATE
from isthmus.worlds.things.speech.units import UNIT_OF_WORD, plural_unit, unit_texts
from isthmus.worlds.things.things import thing_names

SECONDS = 0.5


def write_tone(path: Path, pitch: float = 440, rate: int = RATE, seconds: float = SECONDS, channels: int = 1) -> Path:
    """A tone with a quarter second of silence before and after it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)
    samples = np.pad(tone, rate // 4)
    soundfile.write(path, np.repeat(samples[:, None], channels, axis=1), rate)
    return path


def pitch_of(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * RATE / len(samples))


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_a_file_of_any_format_and_rate_is_kept_as_the_shipped_ones(ending: str, tmp_path: Path) -> None:
    write_tone(tmp_path / f"dog.{ending}", 700, rate=44100, channels=2)
    heard = read_speech(tmp_path).unit(0, thing_names().index("dog"))
    assert pitch_of(heard) == pytest.approx(700, abs=4)
    assert len(heard) == pytest.approx(SECONDS * RATE + 2 * MARGIN, abs=0.04 * RATE)
    assert np.sqrt(np.mean(heard[2 * MARGIN : -2 * MARGIN] ** 2)) == pytest.approx(LEVEL, rel=0.05)


def test_names_are_words_and_things_in_any_spelling(tmp_path: Path) -> None:
    names = {"dogs": "dogs", "Christmas Tree": "christmas tree", "on_the_left": "on the left", "yo-yo": "yo yo"}
    pitches = dict(zip(names.values(), (300, 400, 500, 600), strict=True))
    for name, text in names.items():
        write_tone(tmp_path / f"{name}.wav", pitches[text])
    speech = read_speech(tmp_path)
    assert set(unit_texts()) - set(speech.missing(0)) == set(names.values())
    for text, pitch in pitches.items():
        assert pitch_of(speech.unit(0, unit_texts().index(text))) == pytest.approx(pitch, abs=4)
    assert speech.start[0, plural_unit(0)] >= 0
    assert speech.start[0, UNIT_OF_WORD["on the left"]] >= 0


def test_one_file_stands_for_a_singular_and_an_equal_plural(tmp_path: Path) -> None:
    write_tone(tmp_path / "deer.wav")
    speech = read_speech(tmp_path)
    deer = thing_names().index("deer")
    np.testing.assert_array_equal(speech.unit(0, deer), speech.unit(0, plural_unit(deer)))


def test_subfolders_name_voices(tmp_path: Path) -> None:
    for voice, pitch in (("ann", 300), ("bob", 200)):
        write_tone(tmp_path / "mine" / voice / "cat.wav", pitch)
    write_tone(tmp_path / "mine" / "bob" / "then.wav", 250)
    (tmp_path / "mine" / "notes").mkdir()
    speech = read_speech(tmp_path / "mine")
    assert speech.voices == ("ann", "bob")
    assert speech.families == ("mine", "mine")
    cat = thing_names().index("cat")
    assert [pitch_of(speech.unit(voice, cat)) for voice in (0, 1)] == pytest.approx([300, 200], abs=4)
    assert "then" in speech.missing(0)
    assert "then" not in speech.missing(1)
    with pytest.raises(IsthmusError, match="voice 'ann' lacks a recording of 'then'"):
        speech.unit(0, UNIT_OF_WORD["then"])
    assert pitch_of(speech.of_voices(["bob"]).unit(0, cat)) == pytest.approx(200, abs=4)


def test_without_subfolders_the_folder_names_the_voice(tmp_path: Path) -> None:
    write_tone(tmp_path / "carol" / "cat.wav")
    assert read_speech(tmp_path / "carol").voices == ("carol",)


def test_files_that_name_no_unit_are_left_out_with_one_warning(tmp_path: Path) -> None:
    write_tone(tmp_path / "cat.wav")
    for name in ("a1", "a2", "a3", "a4"):
        write_tone(tmp_path / f"{name}.wav")
    (tmp_path / "README.txt").write_text("not a sound")
    with pytest.warns(UserWarning, match=r"left out 4 files whose names are no units: a1.wav, a2.wav, a3.wav, \.\.\."):
        read_speech(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_speech(write_tone(tmp_path / "clean" / "cat.wav").parent)


def test_the_fingerprint_depends_on_every_byte(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "cat.wav")
    before = read_speech(tmp_path).fingerprint
    assert read_speech(tmp_path).fingerprint == before
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert read_speech(tmp_path).fingerprint != before


def damaged(folder: Path) -> None:
    (folder / "cat.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")


def cut_short(folder: Path) -> None:
    path = write_tone(folder / "cat.wav")
    path.write_bytes(path.read_bytes()[:8000])


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "cat.wav")


def silent(folder: Path) -> None:
    soundfile.write(folder / "cat.wav", np.zeros(RATE), RATE)


def click(folder: Path) -> None:
    write_tone(folder / "cat.wav", 3000, seconds=0.002)


def endless(folder: Path) -> None:
    write_tone(folder / "cat.wav", seconds=12)


def not_numbers(folder: Path) -> None:
    soundfile.write(folder / "cat.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (damaged, "replace or remove it"),
        (cut_short, "cut short.*replace or remove it"),
        (pipe, "is a pipe, not a file"),
        (silent, "silent or too short"),
        (click, "silent or too short"),
        (endless, r"lasts 12\.5 s"),
        (not_numbers, "NaN"),
    ],
)
def test_a_file_that_is_no_recording_of_a_word_is_refused_by_name(
    write: Callable[[Path], None], problem: str, tmp_path: Path
) -> None:
    write_tone(tmp_path / "dog.wav")
    write(tmp_path)
    with pytest.raises(IsthmusError, match=rf"cat\.wav.*{problem}") as refused:
        read_speech(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_folder_without_units_is_refused_with_how_files_are_named(tmp_path: Path) -> None:
    write_tone(tmp_path / "blurb.wav")
    for folder in (tmp_path, tmp_path / "absent", tmp_path / "blurb.wav"):
        with pytest.raises(IsthmusError, match=r"name sound files by what they say, like dog\.wav"):
            read_speech(folder)


def test_two_files_of_one_unit_are_refused(tmp_path: Path) -> None:
    write_tone(tmp_path / "pine tree.wav")
    write_tone(tmp_path / "pine_tree.wav")
    with pytest.raises(IsthmusError, match=r"pine_tree\.wav: pine tree\.wav says the same: keep one"):
        read_speech(tmp_path)


def test_recordings_beside_folders_of_recordings_are_refused(tmp_path: Path) -> None:
    write_tone(tmp_path / "cat.wav")
    write_tone(tmp_path / "ann" / "cat.wav")
    with pytest.raises(IsthmusError, match=r"move cat\.wav and the others into a subfolder"):
        read_speech(tmp_path)
