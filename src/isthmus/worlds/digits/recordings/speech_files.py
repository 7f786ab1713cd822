"""Speech from files: a folder of FSDD wav files, or an npz with all recordings concatenated."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError, reading
from isthmus.worlds.digits.recordings.handwriting_files import read_npz
from isthmus.worlds.digits.recordings.speech import HOP, RATE, Speech

WANTED = (
    "give a folder of wav files named {digit}_{speaker}_{number}.wav, or an .npz with audio, offset (n + 1), "
    "digit, speaker and sr"
)
WAV_NAME = re.compile(r"([0-9])_(.+)_([0-9]+)\.wav", re.IGNORECASE)
LONGEST_SECONDS = 3.0
HIGHEST_RATE = 2**20


def load_speech(path: str | Path) -> Speech:
    """Recordings from an npz, a folder of wav files, or a folder that has them in ``recordings``.

    Audio is resampled to 8 kHz and channels are averaged. Raises `IsthmusError` naming the file and what
    is wrong with it.
    """
    path = Path(path)
    if not path.exists():
        raise IsthmusError(f"{path}: not found; {WANTED}")
    if path.is_dir():
        return _from_folder(path)
    if path.suffix != ".npz":
        raise IsthmusError(f"{path}: neither a folder nor an .npz; {WANTED}")
    return _from_npz(path)


def _from_folder(folder: Path) -> Speech:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".wav")
    if not files and (folder / "recordings").is_dir():
        return _from_folder(folder / "recordings")
    if not files:
        raise IsthmusError(f"{folder}: contains no wav file; {WANTED}")
    names = [WAV_NAME.fullmatch(file.name) for file in files]
    for file, name in zip(files, names, strict=True):
        if name is None:
            raise IsthmusError(f"{file}: the name does not give digit, speaker and number; rename it like 7_anna_0.wav")
    return assemble(
        [_read_wav(file) for file in files],
        np.array([int(name[1]) for name in names if name]),
        np.array([name[2] for name in names if name]),
    )


def _read_wav(file: Path) -> Float32[np.ndarray, " samples"]:
    import soundfile

    with reading(file, "replace or remove it"):
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        resampled = at_8_khz(samples.mean(1), rate)
    return _checked(str(file), resampled)


def _from_npz(path: Path) -> Speech:
    arrays = read_npz(path, ("audio", "offset", "digit", "speaker", "sr"), WANTED)
    with reading(path, WANTED):
        return _speech(path, arrays)


def _speech(path: Path, arrays: dict[str, np.ndarray]) -> Speech:
    audio, offset, digit, speaker = (arrays[name] for name in ("audio", "offset", "digit", "speaker"))
    if audio.ndim != 1 or audio.dtype not in (np.int16, np.float32):
        raise IsthmusError(f"{path}: expected audio as int16 or float32 (samples,), got {audio.dtype} {audio.shape}")
    if len(offset) != len(digit) + 1 or len(speaker) != len(digit):
        raise IsthmusError(
            f"{path}: {len(digit)} digits need {len(digit) + 1} offsets and {len(digit)} speakers, "
            f"got {len(offset)} and {len(speaker)}"
        )
    if offset[0] != 0 or offset[-1] != len(audio) or (np.diff(offset) <= 0).any():
        raise IsthmusError(f"{path}: offset must increase from 0 to {len(audio)}, the number of samples")
    wrong = np.flatnonzero((digit < 0) | (digit > 9))
    if len(wrong):
        raise IsthmusError(f"{path}: digit {digit[wrong[0]]} in row {wrong[0]} is not one of 0 to 9")
    samples = audio.astype(np.float32) / (32768 if audio.dtype == np.int16 else 1)
    rate = int(arrays["sr"])
    recordings = [
        _checked(f"{path}: row {row}", at_8_khz(samples[start:end], rate))
        for row, (start, end) in enumerate(pairwise(offset))
    ]
    return assemble(recordings, digit.astype(np.int64), speaker.astype(str))


def at_8_khz(samples: Float32[np.ndarray, " samples"], rate: int) -> Float32[np.ndarray, " resampled"]:
    """Resample with a polyphase filter; samples already at 8 kHz are returned unchanged."""
    if rate == RATE:
        return samples
    if not 0 < rate <= HIGHEST_RATE:
        raise ValueError(f"{rate} samples a second, expected 1 to {HIGHEST_RATE}")
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, RATE, rate), dtype=np.float32)


def _checked(where: str, samples: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " samples"]:
    if not np.isfinite(samples).all():
        raise IsthmusError(f"{where}: contains NaN or infinite samples; remove it")
    if len(samples) < HOP or not samples.any():
        raise IsthmusError(f"{where}: silent or too short ({len(samples)} samples at 8 kHz); remove it")
    if len(samples) > LONGEST_SECONDS * RATE:
        raise IsthmusError(
            f"{where}: lasts {len(samples) / RATE:.1f} s, more than the {LONGEST_SECONDS} s of one digit; cut it"
        )
    return samples


def assemble(recordings: list[Float32[np.ndarray, " _"]], digit: np.ndarray, speaker: np.ndarray) -> Speech:
    """A bank of single recordings at 8 kHz."""
    offset = np.concatenate([[0], np.cumsum([len(samples) for samples in recordings])]).astype(np.int64)
    return Speech(np.concatenate(recordings), offset, digit.astype(np.int64), speaker.astype(str))
