"""Speech: a bank of spoken digits, and audio clips that play several recordings of one speaker in a row.

Time is counted in hops of 128 samples (16 ms at 8 kHz). A recording is padded with silence to whole hops, so the
features of a clip are exactly those of its recordings put together, and are computed once per recording.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from isthmus.worlds.digits.concepts import draw_matching

RATE = 8000
HOP = 128
MAX_PAUSE = 6
"""Longest silence before, between and after recordings, in hops."""


@dataclass(frozen=True)
class Speech:
    """Recordings of single digits at 8 kHz, concatenated in ``samples``, with the digit and speaker of each."""

    samples: Float32[np.ndarray, " samples"]
    offset: Int[np.ndarray, " recordings_and_one"]
    digit: Int[np.ndarray, " recordings"]
    speaker: np.ndarray

    def __len__(self) -> int:
        return len(self.digit)

    def recording(self, row: int) -> Float32[np.ndarray, " length"]:
        """One recording's samples, without padding."""
        return self.samples[self.offset[row] : self.offset[row + 1]]

    def hops(self) -> Int[np.ndarray, " recordings"]:
        """Length of each recording in whole hops, rounded up."""
        return -(-np.diff(self.offset) // HOP)


@dataclass(frozen=True)
class AudioLayouts:
    """Which recording starts when in each audio clip (in hops; -1 after the end), and the clip's length."""

    recordings: Int[np.ndarray, "n 5"]
    starts: Int[np.ndarray, "n 5"]
    lengths: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, rows: slice | np.ndarray) -> AudioLayouts:
        return AudioLayouts(self.recordings[rows], self.starts[rows], self.lengths[rows])

    def frame_numbers(
        self, first_frame: Int[np.ndarray, " recordings"], hops: Int[np.ndarray, " recordings"], silence: int
    ) -> Int[np.ndarray, "n frames"]:
        """For each hop of each clip the bank frame that belongs there, ``silence`` in the pauses.

        ``first_frame`` is where each recording's frames start in the bank, ``hops`` how many it has.
        """
        numbers = np.full((len(self), int(self.lengths.max(initial=0))), silence, dtype=np.int64)
        for recording, start in zip(self.recordings.T, self.starts.T, strict=True):
            rows = np.flatnonzero(recording >= 0)
            length = hops[recording[rows]]
            row = np.repeat(rows, length)
            step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
            numbers[row, start[row] + step] = first_frame[recording[row]] + step
        return numbers


def draw_audio(
    digits: Int[np.ndarray, "n 5"], bank: Speech, rows: Int[np.ndarray, " split"], rng: np.random.Generator
) -> AudioLayouts:
    """Each sequence spoken by one random speaker of the given recordings, with random pauses."""
    speakers = np.unique(bank.speaker[rows])
    voice = rng.integers(0, len(speakers), len(digits))
    recordings = np.full(digits.shape, -1, dtype=np.int64)
    for number, speaker in enumerate(speakers):
        mine = voice == number
        recordings[mine] = draw_matching(digits[mine], bank.digit, rows[bank.speaker[rows] == speaker], rng)
    return with_pauses(recordings, bank.hops(), rng)


def with_pauses(
    recordings: Int[np.ndarray, "n 5"], hops: Int[np.ndarray, " recordings"], rng: np.random.Generator
) -> AudioLayouts:
    """When each recording starts, after a pause of 0 to `MAX_PAUSE` hops; one more pause ends the clip."""
    present = recordings >= 0
    pauses = rng.integers(0, MAX_PAUSE + 1, (len(recordings), recordings.shape[1] + 1))
    spoken = np.where(present, hops[recordings] + pauses[:, :-1], 0)
    starts = np.cumsum(spoken, axis=1) - np.where(present, hops[recordings], 0)
    return AudioLayouts(recordings, np.where(present, starts, -1), spoken.sum(1) + pauses[:, -1])


def compose_waveform(layouts: AudioLayouts, row: int, bank: Speech) -> Float32[np.ndarray, " samples"]:
    """One audio clip as samples at 8 kHz."""
    waveform = np.zeros(int(layouts.lengths[row]) * HOP, np.float32)
    for recording, start in zip(layouts.recordings[row], layouts.starts[row], strict=True):
        if recording >= 0:
            samples = bank.recording(int(recording))
            waveform[start * HOP : start * HOP + len(samples)] = samples
    return waveform


def seconds(layouts: AudioLayouts, row: int, bank: Speech) -> np.ndarray:
    """When each digit is spoken: ``(digits, 2)`` start and end of its recording in seconds."""
    present = layouts.recordings[row] >= 0
    start = layouts.starts[row][present] * HOP
    length = np.diff(bank.offset)[layouts.recordings[row][present]]
    return np.stack([start, start + length], axis=1) / RATE
