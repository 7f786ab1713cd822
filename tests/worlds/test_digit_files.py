"""Recordings of users' own: MNIST idx files, FSDD wav files, npz archives, and what is wrong with them."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.recordings.handwriting import Handwriting
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings, split_recordings
from isthmus.worlds.digits.recordings.speech_files import at_8_khz, load_speech

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 28, 28)).astype(np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 10


def write_idx(path: Path, array: np.ndarray) -> Path:
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("whole_folder", [True, False])
def test_idx_files_read_as_written(ending: str, whole_folder: bool, tmp_path: Path) -> None:
    images = write_idx(tmp_path / f"t10k-images-idx3-ubyte{ending}", IMAGES)
    write_idx(tmp_path / f"t10k-labels-idx1-ubyte{ending}", LABELS)
    found = load_handwriting(tmp_path if whole_folder else images)
    np.testing.assert_array_equal(found.tiles, IMAGES)
    np.testing.assert_array_equal(found.digit, LABELS)


def test_an_npz_of_images_reads_as_written(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", images=IMAGES, labels=LABELS)
    np.testing.assert_array_equal(load_handwriting(tmp_path / "own.npz").tiles, IMAGES)


def cut_idx(folder: Path) -> Path:
    write_idx(folder / "t10k-labels-idx1-ubyte", LABELS)
    path = write_idx(folder / "t10k-images-idx3-ubyte", IMAGES)
    path.write_bytes(path.read_bytes()[:-5])
    return path


def unlabelled_idx(folder: Path) -> Path:
    return write_idx(folder / "t10k-images-idx3-ubyte", IMAGES)


def broken_gzip(folder: Path) -> Path:
    write_idx(folder / "t10k-labels-idx1-ubyte", LABELS)
    path = write_idx(folder / "t10k-images-idx3-ubyte.gz", IMAGES)
    path.write_bytes(path.read_bytes()[:100])
    return path


def npz(**arrays: np.ndarray) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        np.savez(folder / "own.npz", **arrays)
        return folder / "own.npz"

    return make


def empty_folder(folder: Path) -> Path:
    return folder


def missing(folder: Path) -> Path:
    return folder / "none.npz"


def cut_npz(folder: Path) -> Path:
    path = npz(images=IMAGES, labels=LABELS)(folder)
    path.write_bytes(path.read_bytes()[:200])
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (cut_idx, "its header says"),
        (unlabelled_idx, "labels file t10k-labels-idx1-ubyte is missing"),
        (broken_gzip, "cannot be read"),
        (npz(images=IMAGES), "no array 'labels'"),
        (npz(images=IMAGES[:, :20], labels=LABELS), "expected images as uint8"),
        (npz(images=IMAGES, labels=LABELS[:7]), "30 images but 7 labels"),
        (npz(images=IMAGES, labels=LABELS + 5), "label 10 in row 5 is not a digit"),
        (cut_npz, "cannot be read"),
        (empty_folder, "contains no idx images file"),
        (missing, "not found"),
    ],
)
def test_bad_images_are_named_with_the_remedy(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(IsthmusError, match=message) as caught:
        load_handwriting(path)
    assert str(path) in str(caught.value)


def write_wavs(folder: Path, rate: int = 8000, channels: int = 1) -> np.ndarray:
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(rate // 4) / rate)
    for speaker in ("ann", "bob"):
        for digit in range(10):
            for number in range(4):
                soundfile.write(folder / f"{digit}_{speaker}_{number}.wav", np.stack([tone] * channels, 1), rate)
    return tone.astype(np.float32)


def test_wav_files_say_digit_and_speaker_by_name(tmp_path: Path) -> None:
    tone = write_wavs(tmp_path)
    found = load_speech(tmp_path)
    assert len(found) == 80
    assert sorted(set(found.speaker)) == ["ann", "bob"]
    assert np.bincount(found.digit).tolist() == [8] * 10
    np.testing.assert_allclose(found.recording(3), tone, atol=1e-4)


def test_other_rates_and_stereo_come_to_8_khz_mono(tmp_path: Path) -> None:
    write_wavs(tmp_path, rate=16_000, channels=2)
    recording = load_speech(tmp_path).recording(0)
    assert len(recording) == 2000
    spectrum = np.abs(np.fft.rfft(recording))
    assert spectrum.argmax() * 8000 / len(recording) == pytest.approx(440, abs=4)


def test_8_khz_samples_are_left_as_they_are() -> None:
    samples = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    assert at_8_khz(samples, 8000) is samples


def tones(**changes: np.ndarray) -> Callable[[Path], Path]:
    rows = 80
    digits, speakers = np.arange(rows) % 10, np.repeat(["ann", "bob"], rows // 2)
    audio = np.random.default_rng(0).integers(-9000, 9000, rows * 400).astype(np.int16)
    offset = np.arange(rows + 1) * 400
    arrays = {"audio": audio, "offset": offset, "digit": digits, "speaker": speakers, "sr": np.array(8000)}
    return npz(**{**arrays, **changes})


def test_an_npz_of_recordings_reads_as_written(tmp_path: Path) -> None:
    found = load_speech(tones()(tmp_path))
    assert len(found) == 80
    assert np.abs(found.samples).max() <= 1
    assert np.diff(found.offset).tolist() == [400] * 80


def silent_recording(folder: Path) -> Path:
    audio = np.random.default_rng(0).standard_normal(80 * 400).astype(np.float32)
    audio[400:800] = 0
    return tones(audio=audio)(folder)


def badly_named_wav(folder: Path) -> Path:
    write_wavs(folder)
    (folder / "seven.wav").write_bytes((folder / "7_ann_0.wav").read_bytes())
    return folder


def broken_wav(folder: Path) -> Path:
    write_wavs(folder)
    (folder / "7_ann_0.wav").write_bytes(b"RIFF no sound here")
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (tones(digit=np.arange(80) % 11), "digit 10 in row 10 is not one of 0 to 9"),
        (tones(offset=np.arange(81) * 399), "offset must increase from 0 to 32000"),
        (tones(speaker=np.array(["ann"])), "got 81 and 1"),
        (tones(audio=np.full(80 * 400, np.nan, np.float32)), "contains NaN or infinite"),
        (silent_recording, "row 1: silent or too short"),
        (badly_named_wav, "seven.wav: the name does not give"),
        (broken_wav, "7_ann_0.wav: cannot be read"),
        (empty_folder, "contains no wav file"),
        (missing, "not found"),
    ],
)
def test_bad_recordings_are_named_with_the_remedy(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=message):
        load_speech(make(tmp_path))


def test_one_voice_or_too_few_examples_cannot_make_a_world(tmp_path: Path) -> None:
    handwriting = Handwriting(np.tile(IMAGES, (4, 1, 1)), np.tile(LABELS, 4).astype(np.int64))
    with pytest.raises(IsthmusError, match="have 1 speaker"):
        Recordings("own", handwriting, load_speech(tones(speaker=np.repeat("ann", 80))(tmp_path)))
    speech = load_speech(tones()(tmp_path))
    with pytest.raises(IsthmusError, match="digit 3 occurs 0 times"):
        Recordings("own", Handwriting(IMAGES, np.where(LABELS == 3, 4, LABELS).astype(np.int64)), speech)


def test_mnist_and_fsdd_load_and_split(shared_data: Path) -> None:
    folder = shared_data / "digits"
    handwriting, speech = load_handwriting(folder / "mnist_8k.npz"), load_speech(folder / "fsdd_8k.npz")
    splits = split_recordings(Recordings("real", handwriting, speech), seed=0)
    rows = np.concatenate([*splits.seen.values(), *splits.unseen.values()])
    assert len(np.unique(rows)) == len(rows) == len(speech)
    assert len(np.unique(np.concatenate([*splits.images.values()]))) == len(handwriting.tiles) == 8000
