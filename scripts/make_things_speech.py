"""Synthesise the units of the things world and write the archives that ship with the package.

    python scripts/make_things_speech.py        # Debian packages espeak-ng and flite, and isthmus[embed]

Nine voices of two synthesisers say every word and phrase that sentences are composed of. A voice keeps its pitch and
rate, with a little variation from unit to unit, so that a sentence sounds like one speaker. Each recording is trimmed
and brought to one level, those of a voice are concatenated with short gaps, and each voice is one Ogg Opus file. The
script checks that decoding gives every unit back where the index says it is. Licences: LICENCES.md beside the files.
"""

import hashlib
import io
import json
import math
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from rich.progress import track
from scipy.signal import resample_poly

from isthmus.worlds.things.speech.preparation import RATE, prepared
from isthmus.worlds.things.speech.recordings import as_int16
from isthmus.worlds.things.speech.shipped import ASSETS, GAP, INDEX, decode_into, places_of
from isthmus.worlds.things.speech.units import unit_texts

PROCESSES = 2
BITRATE = 9000
"""Aimed at, in bits per second; libopus needs that much to code 8 kHz of bandwidth."""
FARTHEST = RATE // 1000
"""Most samples that a decoded unit may be away from its place: 1 ms."""
SEARCHED = RATE // 100
"""How far from its place it is looked for."""
RATE_CHANGE, PITCH_CHANGE, STRETCH_CHANGE = 8, 4, 0.05
"""Largest change from unit to unit: words per minute and pitch of espeak-ng, length of flite."""
SAID = {
    **{"bow": "beau", "bows": "beaus", "pickaxe": "pick axe", "pickaxes": "pick axes"},
    **{"bathtub": "bath tub", "bathtubs": "bath tubs", "toothbrush": "tooth brush", "toothbrushes": "tooth brushes"},
}
"""Spellings for flite of words that it reads wrong: it takes the bow that shoots for the one that greets."""


@dataclass(frozen=True)
class Voice:
    """A speaker: for espeak-ng with words per minute and pitch (0 to 99), for flite with a factor of length."""

    synthesiser: str
    voice: str
    family: str
    rate: float
    pitch: int = 0


VOICES = {
    "ada": Voice("espeak-ng", "en-us+f2", "espeak", 175, 55),
    "bert": Voice("espeak-ng", "en-gb+m3", "espeak", 165, 40),
    "cleo": Voice("espeak-ng", "en-029+f3", "espeak", 185, 62),
    "doug": Voice("espeak-ng", "en-gb-scotland+m7", "espeak", 155, 48),
    "elsa": Voice("espeak-ng", "en-gb-x-rp+f4", "espeak", 190, 50),
    "kurt": Voice("espeak-ng", "en-us+klatt2", "klatt", 170, 45),
    "rms": Voice("flite", "rms", "flite", 0.9),
    "awb": Voice("flite", "awb", "flite", 0.88),
    "slt": Voice("flite", "slt", "flite", 0.95),
}


def synthesise(text: str, voice: Voice, change: np.ndarray) -> np.ndarray:
    """One unit as it is kept; ``change`` are two numbers in [-1, 1] that vary rate and pitch."""
    if voice.synthesiser == "espeak-ng":
        rate, pitch = voice.rate + RATE_CHANGE * change[0], voice.pitch + PITCH_CHANGE * change[1]
        command = ["espeak-ng", "-v", voice.voice, "-s", f"{rate:.0f}", "-p", f"{pitch:.0f}", "--stdout", text]
        wav = subprocess.run(command, capture_output=True, check=True).stdout
    else:
        stretch = voice.rate + STRETCH_CHANGE * change[0]
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            command = ["flite", "-voice", voice.voice, "--setf", f"duration_stretch={stretch:.3f}"]
            subprocess.run([*command, "-t", SAID.get(text, text), "-o", file.name], check=True)
            wav = Path(file.name).read_bytes()
    samples, original = soundfile.read(io.BytesIO(wav), dtype="float64")
    divisor = math.gcd(RATE, original)
    return prepared(resample_poly(samples, RATE // divisor, original // divisor))


def say_everything(voice: Voice, seed: int) -> list[np.ndarray]:
    """Every unit, in order."""
    changes = np.random.default_rng(seed).uniform(-1, 1, (len(unit_texts()), 2))
    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(lambda text, change: synthesise(text, voice, change), unit_texts(), changes))


def concatenated(units: list[np.ndarray]) -> np.ndarray:
    """All units with a gap before and after each, as int16."""
    silence = np.zeros(GAP, np.float32)
    return as_int16(np.concatenate([silence, *(part for unit in units for part in (unit, silence))]))


def encode(samples: np.ndarray, path: Path, bitrate: int = BITRATE) -> None:
    """Write Ogg Opus in frames of 60 ms, which cost the least beside the sound itself."""
    options = {"application": "audio", "frame_duration": "60", "vbr": "on", "compression_level": "10"}
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact", "page_duration": "8000000"}) as file:
        stream = file.add_stream("libopus", rate=RATE, layout="mono", options=options)
        stream.bit_rate = bitrate
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        # Without a time, the muxer counts the encoder's delay twice, and decoders differ in where the sound begins.
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)


def check_places(path: Path, samples: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Stop if a unit, decoded as the package does, is not where it was within 1 ms, by cross-correlation."""
    decoded = np.zeros_like(samples)
    decode_into(decoded, path, hashlib.sha256(path.read_bytes()).hexdigest())
    for first, last in zip(start, end, strict=True):
        wanted = samples[first:last].astype(np.float64)
        near = decoded[first - SEARCHED : last + SEARCHED].astype(np.float64)
        lag = int(np.argmax(np.correlate(near, wanted, "valid"))) - SEARCHED
        assert abs(lag) <= FARTHEST, f"{path}: the unit at {first} was moved by {lag} samples"


def main() -> None:
    """Synthesise, write the archives and their index, and check them."""
    began = time.perf_counter()
    ASSETS.mkdir(exist_ok=True)
    versions = {"espeak-ng": version("espeak-ng", "--version"), "flite": version("flite", "--version")}
    voices, seconds, size = {}, 0.0, 0
    for seed, (name, voice) in enumerate(track(VOICES.items(), description="synthesising")):
        units = say_everything(voice, seed)
        samples, lengths = concatenated(units), np.array([len(unit) for unit in units])
        path = ASSETS / f"{name}.ogg"
        encode(samples, path)
        check_places(path, samples, *places_of(lengths))
        seconds, size = seconds + len(samples) / RATE, size + path.stat().st_size
        voices[name] = {
            **asdict(voice),
            "version": versions[voice.synthesiser],
            "licence": "LICENCES.md",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "samples": len(samples),
            "lengths": lengths.tolist(),
        }
    index = {"made_by": Path(__file__).name, "rate": RATE, "voices": voices}
    INDEX.write_text(json.dumps(index) + "\n")
    print(f"{len(voices)} voices, {seconds:.0f} s, {size / 1e6:.2f} MB, made in {time.perf_counter() - began:.0f} s")


def version(*command: str) -> str:
    """The line in which a synthesiser states its version."""
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in (found.stdout + found.stderr).splitlines() if "ersion" in line or "eSpeak" in line]
    return lines[0].split("Data at")[0].strip()


if __name__ == "__main__":
    main()
