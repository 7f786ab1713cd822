"""Tokens of images, audio clips and texts with their places, and the digits each item shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.digits.concepts import concepts_of
from isthmus.worlds.digits.digits_world import DigitsWorld, captions
from isthmus.worlds.digits.items import digits_in, parse_audio, parse_images
from isthmus.worlds.digits.recordings.handwriting import TILE
from isthmus.worlds.digits.recordings.speech import HOP, RATE
from isthmus.worlds.digits.spaces.towers import AUDIO_STRIDE, IMAGE_STRIDE
from isthmus.worlds.digits.wording import DIGIT_OF_WORD, TOKEN, digit_spans
from isthmus.worlds.spaces.space import EMBED_ROWS, ContrastiveSpace
from isthmus.worlds.spaces.token_batches import concatenated, offsets_of, step_within
from isthmus.worlds.world import Regions

NO_DIGIT = -1
TOKEN_SECONDS = AUDIO_STRIDE * HOP / RATE


@torch.no_grad()
def image_tokens(world: DigitsWorld, ids: Sequence[str]) -> Tokens:
    """One token per four pixel columns of each image; places are boxes in pixels."""
    space, layouts = world.image_space, parse_images(ids)
    batches = (space.item_tokens(*batch) for batch in world.image_feed.batches(layouts))
    vectors, counts = concatenated(batches)
    left = step_within(counts) * float(IMAGE_STRIDE)
    places = np.stack([left, np.zeros_like(left), left + IMAGE_STRIDE, np.full_like(left, TILE)], axis=1)
    return Tokens.from_arrays(
        vectors, offsets_of(counts), places, modality="image", space=space.name, unit="pixels", ids=ids
    )


@torch.no_grad()
def audio_tokens(world: DigitsWorld, ids: Sequence[str]) -> Tokens:
    """One token per 64 ms of each audio clip; places are spans in seconds."""
    space, layouts = world.audio_space, parse_audio(ids)
    batches = (space.item_tokens(*batch) for batch in world.audio_feed.batches(layouts))
    vectors, counts = concatenated(batches)
    start = step_within(counts) * TOKEN_SECONDS
    places = np.stack([start, start + TOKEN_SECONDS], axis=1)
    return Tokens.from_arrays(
        vectors, offsets_of(counts), places, modality="audio", space=space.name, unit="seconds", ids=ids
    )


@torch.no_grad()
def text_tokens(space: ContrastiveSpace, ids: Sequence[str], texts: Sequence[str] | None = None) -> Tokens:
    """One token per word of each item's caption (by default in the space's wording); places are character spans."""
    given = captions_of(space, ids) if texts is None else list(texts)
    blocks = (given[start : start + EMBED_ROWS] for start in range(0, len(given), EMBED_ROWS))
    words = (torch.from_numpy(space.wording.tokens(block)) for block in blocks)
    vectors, counts = concatenated(space.text_tokens(batch) for batch in words)
    spans = [match.span() for text in given for match in TOKEN.finditer(text.lower())]
    return Tokens.from_arrays(
        vectors,
        offsets_of(counts),
        np.array(spans, np.float32),
        modality="text",
        space=space.name,
        unit="characters",
        ids=ids,
    )


def captions_of(space: ContrastiveSpace, ids: Sequence[str]) -> list[str]:
    """The captions of any items of this world, in a space's wording."""
    return captions(concepts_of(_digits_of_ids(ids)), space)


def image_regions(world: DigitsWorld, ids: Sequence[str]) -> list[Regions]:
    """The digits of each image and their boxes in pixels."""
    return [Regions(np.array(digits_in(item)), world.boxes(item).astype(np.float32)) for item in ids]


def audio_regions(world: DigitsWorld, ids: Sequence[str]) -> list[Regions]:
    """The digits of each audio clip and when they are spoken, in seconds."""
    return [Regions(np.array(digits_in(item)), world.seconds(item).astype(np.float32)) for item in ids]


def text_regions(texts: Sequence[str]) -> list[Regions]:
    """The digits each text names and the characters that name them."""
    regions = []
    for text in texts:
        spans = digit_spans(text)
        digits = [DIGIT_OF_WORD[text[start:end].lower()] for start, end in spans]
        regions.append(Regions(np.array(digits, dtype=np.int64), np.array(spans, np.float32).reshape(-1, 2)))
    return regions


def _digits_of_ids(ids: Sequence[str]) -> Int[np.ndarray, "items 5"]:
    rows = np.full((len(ids), 5), NO_DIGIT, dtype=np.int64)
    for row, item in enumerate(ids):
        digits = digits_in(item)
        rows[row, : len(digits)] = digits
    return rows
