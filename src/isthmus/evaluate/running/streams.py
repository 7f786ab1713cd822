"""Streams of clips: the codes of every second, from tokens of a set and a code model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.annotations.data import Stream
from isthmus.evaluate.annotations.folder import plain_name
from isthmus.evaluate.coverage import MediaCount
from isthmus.metrics.segments import segment_labels

SECONDS = 10
"""Segments of a clip in the benchmark, one second each."""
BLOCK_ITEMS = 512


@dataclass(frozen=True)
class CodedStreams:
    """Clips that were found, second by second.

    Attributes:
        streams: The clips.
        features: The distribution of each second's tokens over the codes; zeros where it has no tokens.
        labels: Which classes each second shows.
        count: How many clips were found, and which are missing.
    """

    streams: list[Stream]
    features: Float[np.ndarray, "streams seconds codes"]
    labels: Bool[np.ndarray, "streams seconds classes"]
    count: MediaCount

    def of_split(self, split: str) -> Int[np.ndarray, " rows"]:
        """The rows of a split."""
        return np.flatnonzero([own.split == split for own in self.streams])


def coded_streams(streams: Sequence[Stream], tokens: Tokens, model: CodeModel, classes: int) -> CodedStreams:
    """The codes of every second of some clips.

    Audio has its seconds. The frames of a clip, in a folder of its name or named after it with a number, are spread
    evenly over the seconds in the order of their numbers; a single frame stands for the whole clip.

    Args:
        streams: The clips and what they show.
        tokens: Tokens of one modality, with ids that contain the clips' names.
        model: The code model.
        classes: Number of classes.

    Raises:
        IsthmusError: No clip has tokens.
    """
    rows_of = clip_rows(tokens.ids)
    kept = [(own, rows) for own in streams if (rows := _rows_of(own, rows_of))]
    if not kept:
        example = streams[0].entry.names[:3] if streams else ()
        raise IsthmusError(
            f"the {tokens.modality} tokens have none of the {len(streams)} clips of the task (ids look like "
            f"{tokens.ids[0]!r}, the first clip would be {' or '.join(map(repr, example))})"
        )
    uses = _uses(tokens, model)
    features = np.stack([_seconds(rows, uses, tokens.unit == "seconds") for _, rows in kept])
    labels = np.stack([segment_labels(own.events, SECONDS, classes) for own, _ in kept])
    found = {own.entry.id for own, _ in kept}
    missing = tuple(own.entry.id for own in streams if own.entry.id not in found)
    count = MediaCount(len(streams), len(kept), missing)
    return CodedStreams([own for own, _ in kept], features, labels, count)


def clip_rows(ids: Sequence[str]) -> dict[str, list[int]]:
    """The rows of items by the name of their clip: their own name, their folder's, or their name without a number."""
    found: dict[str, list[int]] = {}
    order = sorted(range(len(ids)), key=lambda row: _natural(ids[row]))
    for row in order:
        path = Path(ids[row])
        stem = plain_name(path.stem)
        keys = {stem, plain_name(path.parent.name), re.sub(r"[_-]?\d+$", "", stem)}
        for key in keys - {"", "."}:
            found.setdefault(key, []).append(row)
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts frame 10 after frame 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _rows_of(stream: Stream, rows_of: Mapping[str, list[int]]) -> list[int]:
    return next((rows_of[key] for name in stream.entry.names if (key := plain_name(name)) in rows_of), [])


def _uses(tokens: Tokens, model: CodeModel) -> list[Float[np.ndarray, "seconds codes"]]:
    """How often each second of each item uses each code; items without seconds have one."""
    size = len(model.codebook)
    found = []
    for block in tokens.batches(BLOCK_ITEMS):
        codes = model.token_codes(block).argmax(1)
        for start, end in zip(block.offsets[:-1], block.offsets[1:], strict=True):
            own, places = codes[start:end], block.places[start:end]
            middles = places.mean(1) if block.unit == "seconds" else np.zeros(len(own))
            second = np.clip(middles.astype(int), 0, SECONDS - 1)
            counts = np.bincount(second * size + own, minlength=SECONDS * size).reshape(SECONDS, size)
            found.append(counts.astype(np.float32))
    return found


def _seconds(
    rows: Sequence[int], uses: Sequence[Float[np.ndarray, "seconds codes"]], timed: bool
) -> Float[np.ndarray, "seconds codes"]:
    """The distribution of each second over the codes: of the first item if it has seconds, else of all frames."""
    counts = uses[rows[0]]
    if not timed:
        frames = np.stack([uses[row][0] for row in rows])
        starts = [-(-second * len(rows) // SECONDS) for second in range(SECONDS + 1)]
        spans = [(starts[second], starts[second + 1]) for second in range(SECONDS)]
        # A second between two frames has the one before it.
        counts = np.stack([frames[first:last].sum(0) if last > first else frames[first - 1] for first, last in spans])
    return np.asarray(counts / np.maximum(counts.sum(1, keepdims=True), 1))
