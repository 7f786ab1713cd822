"""Streams: ten seconds of images or audio over background, in which digits are shown or spoken for some seconds.

The set-up of the cross-modal generalisation benchmark (papers B) in the digits world: a stream has ten one-second
segments; an event is a digit with onset and offset, shown or spoken once in each of its seconds. The background is
empty, or clutter: a digit with its pixel columns, or audio frames, shuffled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.recordings.handwriting import CANVAS_WIDTH, TILE
from isthmus.worlds.digits.recordings.speech import HOP, RATE
from isthmus.worlds.digits.spaces.feeds import FEED_ROWS, as_images
from isthmus.worlds.digits.spaces.towers import AUDIO_STRIDE, IMAGE_STRIDE

SEGMENTS = 10
BACKGROUND = -1
LONGEST = 5
"""Maximum seconds of an event."""
HOPS = RATE * SEGMENTS // HOP


@dataclass(frozen=True)
class Timeline:
    """What each second of each stream shows: a digit or background, a share of which is clutter."""

    labels: Int[np.ndarray, "streams 10"]
    clutter: float

    @classmethod
    def drawn(cls, streams: int, most: int, clutter: float, rng: np.random.Generator) -> Timeline:
        """One to ``most`` events per stream, of different digits, without overlap."""
        labels = np.full((streams, SEGMENTS), BACKGROUND, dtype=np.int64)
        for row in labels:
            for digit in rng.permutation(10)[: rng.integers(1, most + 1)]:
                onset = rng.integers(0, SEGMENTS)
                offset = onset + rng.integers(1, LONGEST + 1)
                if (row[onset:offset] == BACKGROUND).all():
                    row[onset:offset] = digit
        return cls(labels, clutter)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Streams:
    """Tokens of streams of one modality, with their spans in seconds, and what each second shows."""

    tokens: Tokens
    events: Timeline

    def segments(self) -> Int[np.ndarray, " tokens"]:
        """The segment that holds each token's middle, numbered over all streams."""
        middles = self.tokens.places.mean(1)
        within = np.minimum(middles.astype(np.int64), SEGMENTS - 1)
        return np.repeat(np.arange(len(self.events)), self.tokens.counts) * SEGMENTS + within


@torch.no_grad()
def image_streams(world: DigitsWorld, events: Timeline, split: str, rng: np.random.Generator) -> Streams:
    """Streams of images, one per second, from the tiles of a split; the 42 tokens of a second share its span."""
    canvases = _canvases(world, events, world.splits.images[split], rng)
    vectors = [world.image_space.item_tokens(part)[0].flatten(0, 1) for part in canvases.split(FEED_ROWS)]
    each = CANVAS_WIDTH // IMAGE_STRIDE
    second = np.repeat(np.arange(SEGMENTS, dtype=np.float32), each)
    places = np.tile(np.stack([second, second + 1], axis=1), (len(events), 1))
    return _streams(torch.cat(vectors).numpy(), each * SEGMENTS, places, "image", world.image_space.name, events)


@torch.no_grad()
def audio_streams(
    world: DigitsWorld, events: Timeline, split: str, rng: np.random.Generator, speakers: str = "seen"
) -> Streams:
    """Streams of audio from a split's recordings by the seen speakers or the unseen one, with a token every 64 ms."""
    rows = (world.splits.seen if speakers == "seen" else world.splits.unseen)[split]
    vectors = []
    for numbers in _frame_numbers(world, events, rows, rng):
        frames = world.audio_feed.frames[torch.from_numpy(numbers)]
        vectors.append(world.audio_space.item_tokens(frames, torch.full((len(frames),), HOPS))[0].flatten(0, 1))
    each = -(-HOPS // AUDIO_STRIDE)
    start = np.arange(each, dtype=np.float32) * AUDIO_STRIDE * HOP / RATE
    places = np.tile(np.stack([start, start + AUDIO_STRIDE * HOP / RATE], axis=1), (len(events), 1))
    return _streams(torch.cat(vectors).numpy(), each, places, "audio", world.audio_space.name, events)


def _streams(
    vectors: np.ndarray, each: int, places: np.ndarray, modality: str, space: str, events: Timeline
) -> Streams:
    offsets = np.arange(len(events) + 1, dtype=np.int64) * each
    tokens = Tokens.from_arrays(vectors, offsets, places, modality=modality, space=space, unit="seconds")
    return Streams(tokens, events)


def _canvases(world: DigitsWorld, events: Timeline, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """An image per second: one tile at a random place, or nothing."""
    bank = world.source.handwriting
    labels = events.labels.ravel()
    columns = np.zeros((len(labels), CANVAS_WIDTH, TILE), np.uint8)
    for canvas, label in zip(columns, labels, strict=True):
        shown = label != BACKGROUND
        if shown or rng.random() < events.clutter:
            fitting = rows[bank.digit[rows] == label] if shown else rows
            tile = bank.tiles[rng.choice(fitting)].T
            left = rng.integers(0, CANVAS_WIDTH - TILE + 1)
            canvas[left : left + TILE] = tile if shown else rng.permutation(tile)
    return as_images(torch.from_numpy(columns))


def _frame_numbers(
    world: DigitsWorld, events: Timeline, rows: np.ndarray, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The bank frame of each hop, for a block of streams."""
    feed, bank = world.audio_feed, world.source.speech
    second = RATE // HOP
    for start in range(0, len(events), FEED_ROWS // SEGMENTS):
        block = events.labels[start : start + FEED_ROWS // SEGMENTS]
        numbers = np.full((len(block), HOPS), len(feed.frames) - 1, dtype=np.int64)
        for stream, labels in zip(numbers, block, strict=True):
            for number, label in enumerate(labels):
                shown = label != BACKGROUND
                if shown or rng.random() < events.clutter:
                    recording = rng.choice(rows[bank.digit[rows] == label] if shown else rows)
                    frames = feed.first[recording] + np.arange(min(feed.hops[recording], second))
                    at = round(number * RATE / HOP) + rng.integers(0, second - len(frames) + 1)
                    stream[at : at + len(frames)] = frames if shown else rng.permutation(frames)
        yield numbers
