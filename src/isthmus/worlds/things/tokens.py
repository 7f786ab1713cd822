"""Tokens of images, sentences and texts with their places, and the things each item shows or names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.spaces.space import EMBED_ROWS, ContrastiveSpace
from isthmus.worlds.spaces.token_batches import concatenated, offsets_of, step_within
from isthmus.worlds.things.drawings.layout import CANVAS
from isthmus.worlds.things.drawings.layout import CHANCES as IMAGE_CHANCES
from isthmus.worlds.things.items import concepts_of
from isthmus.worlds.things.spaces.towers import FRAMES, PATCH
from isthmus.worlds.things.speech.log_mel import HOP
from isthmus.worlds.things.speech.recordings import RATE
from isthmus.worlds.things.speech.sentences import CHANCES as SPEECH_CHANCES
from isthmus.worlds.things.things_world import ThingsWorld, captions
from isthmus.worlds.things.wording import TOKEN, thing_spans
from isthmus.worlds.world import Regions

TOKEN_SECONDS = FRAMES * HOP / RATE


@torch.no_grad()
def image_tokens(world: ThingsWorld, ids: Sequence[str]) -> Tokens:
    """One token per 8 × 8 pixels of each image; places are boxes in pixels."""
    items = world.images(ids)
    inputs = world.image_feed.batches(items.scenes, items.kinds, items.chances(IMAGE_CHANCES))
    vectors, counts = concatenated(world.image_space.item_tokens(*batch) for batch in inputs)
    edge = np.arange(0, CANVAS, PATCH, dtype=np.float32)
    top, left = (axis.ravel() for axis in np.meshgrid(edge, edge, indexing="ij"))
    places = np.tile(np.stack([left, top, left + PATCH, top + PATCH], axis=1), (len(ids), 1))
    name = world.image_space.name
    return Tokens.from_arrays(vectors, offsets_of(counts), places, modality="image", space=name, unit="pixels", ids=ids)


@torch.no_grad()
def audio_tokens(world: ThingsWorld, ids: Sequence[str]) -> Tokens:
    """One token per 80 ms of each sentence; places are spans in seconds."""
    items = world.audio(ids)
    inputs = world.speech_feed.batches(items.scenes, items.kinds, items.chances(SPEECH_CHANCES))
    vectors, counts = concatenated(world.speech_space.item_tokens(*batch) for batch in inputs)
    step = step_within(counts)
    places = np.stack([step, step + 1], axis=1) * np.float32(TOKEN_SECONDS)
    offsets, name = offsets_of(counts), world.speech_space.name
    return Tokens.from_arrays(vectors, offsets, places, modality="audio", space=name, unit="seconds", ids=ids)


@torch.no_grad()
def text_tokens(space: ContrastiveSpace, ids: Sequence[str], texts: Sequence[str] | None = None) -> Tokens:
    """One token per word of each item's caption (by default in the space's wording); places are character spans."""
    given = captions_of(space, ids) if texts is None else list(texts)
    blocks = (given[start : start + EMBED_ROWS] for start in range(0, len(given), EMBED_ROWS))
    vectors, counts = concatenated(space.text_tokens(torch.from_numpy(space.wording.tokens(block))) for block in blocks)
    spans = np.array([match.span() for text in given for match in TOKEN.finditer(text.lower())], np.float32)
    offsets = offsets_of(counts)
    return Tokens.from_arrays(vectors, offsets, spans, modality="text", space=space.name, unit="characters", ids=ids)


def captions_of(space: ContrastiveSpace, ids: Sequence[str]) -> list[str]:
    """The captions of any items of this world, in a space's wording."""
    return captions(concepts_of(ids), space)


def image_regions(world: ThingsWorld, ids: Sequence[str]) -> list[Regions]:
    """The thing that each drawing of each image shows, and its box in pixels."""
    return [Regions(*world.boxes(item)) for item in ids]


def audio_regions(world: ThingsWorld, ids: Sequence[str]) -> list[Regions]:
    """The things each sentence names, and when, in seconds."""
    regions = []
    for item in ids:
        named = [part for part in world.sentence(item).parts if part.thing >= 0]
        places = np.array([(part.start, part.end) for part in named], np.float32).reshape(-1, 2) / RATE
        regions.append(Regions(np.array([part.thing for part in named], np.int64), places))
    return regions


def text_regions(texts: Sequence[str]) -> list[Regions]:
    """The things each text names and the characters that name them."""
    regions = []
    for text in texts:
        spans = np.array(thing_spans(text), dtype=np.int64).reshape(-1, 3)
        regions.append(Regions(spans[:, 0], spans[:, 1:].astype(np.float32)))
    return regions
