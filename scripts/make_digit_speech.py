"""Synthesise the spoken digits with espeak-ng and write the archive that ships with the package.

    python scripts/make_digit_speech.py        # needs espeak-ng (Debian package of that name)

Eight voices differ in accent and speaker; each says every digit several times at different rates and pitches. The
recordings are resampled to 8 kHz, trimmed, rounded to eight bits and concatenated in one FLAC file. FLAC is lossless,
so the samples, and with them the fingerprint of the default world, are the same on every machine. The licence of
espeak-ng does not cover the audio it produces.
"""

import hashlib
import io
import json
import subprocess
from pathlib import Path

import numpy as np
import soundfile
from rich.progress import track
from scipy.signal import resample_poly

from isthmus.worlds.digits.recordings.shipped import SPEECH_AUDIO, SPEECH_INDEX
from isthmus.worlds.digits.recordings.speech import RATE

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = {
    "anna": "en-us+f2",
    "ben": "en-gb+m3",
    "carla": "en-029+f3",
    "dan": "en-gb-scotland+m2",
    "eve": "en-gb-x-rp+f4",
    "finn": "en-us+m7",
    "gus": "en-gb-x-gbclan+m1",
    "zoe": "en-gb-x-gbcwmd+f1",
}
TAKES = 13
SLOWEST, FASTEST = 130, 210
LOWEST, HIGHEST = 25, 75
BITS = 8
SILENT = 0.01
"""Share of the peak below which the ends of a recording count as silence."""
MARGIN = RATE // 100


def synthesise(word: str, voice: str, rate: int, pitch: int) -> np.ndarray:
    """One word at 8 kHz with peak 0.9 and 10 ms of silence at each end."""
    command = ["espeak-ng", "-v", voice, "-s", str(rate), "-p", str(pitch), "--stdout", word]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    samples, original = soundfile.read(io.BytesIO(wav), dtype="float64")
    divisor = np.gcd(RATE, original)
    samples = resample_poly(samples, RATE // divisor, original // divisor)
    loud = np.flatnonzero(np.abs(samples) > SILENT * np.abs(samples).max())
    samples = samples[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN]
    return 0.9 * samples / np.abs(samples).max()


def main() -> None:
    """Synthesise, and write the archive and its index."""
    draw = np.random.default_rng(0)
    recordings, digits, speakers = [], [], []
    for name, voice in track(VOICES.items(), description="synthesising"):
        for digit, word in enumerate(WORDS):
            for _ in range(TAKES):
                rate, pitch = draw.integers(SLOWEST, FASTEST), draw.integers(LOWEST, HIGHEST)
                recordings.append(synthesise(word, voice, int(rate), int(pitch)))
                digits.append(digit)
                speakers.append(name)
    coarse = 2 ** (16 - BITS)
    samples = (np.round(np.concatenate(recordings) * 2**15 / coarse) * coarse).clip(-(2**15), 2**15 - coarse)
    SPEECH_AUDIO.parent.mkdir(exist_ok=True)
    soundfile.write(
        SPEECH_AUDIO, samples.astype(np.int16), RATE, format="FLAC", subtype="PCM_16", compression_level=1.0
    )
    index = {
        "made_by": f"{Path(__file__).name}, {version()}",
        "sha256": hashlib.sha256(SPEECH_AUDIO.read_bytes()).hexdigest(),
        "offset": np.cumsum([0, *map(len, recordings)]).tolist(),
        "digit": digits,
        "speaker": speakers,
    }
    SPEECH_INDEX.write_text(json.dumps(index) + "\n")
    seconds = len(samples) / RATE
    print(
        f"{len(recordings)} recordings, {seconds:.0f} s, {SPEECH_AUDIO.stat().st_size / 2**20:.2f} MB: {SPEECH_AUDIO}"
    )


def version() -> str:
    """The synthesiser's name and version."""
    said = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("Data at")[0].strip()


if __name__ == "__main__":
    main()
