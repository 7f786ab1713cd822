"""Fine-grained views: the tokens of pictures, utterances and texts with their places, and which digit each shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.digits.concepts import concepts_of
from isthmus.worlds.digits.digits_world import DigitsWorld, captions
from isthmus.worlds.digits.handwriting import TILE
from isthmus.worlds.digits.items import digits_in, parse_pictures, parse_utterances
from isthmus.worlds.digits.space import EMBED_ROWS, ContrastiveSpace
from isthmus.worlds.digits.speech import HOP, RATE
from isthmus.worlds.digits.towers import AUDIO_STRIDE, IMAGE_STRIDE
from isthmus.worlds.digits.wording import DIGIT_OF_WORD, TOKEN, digit_spans

NO_DIGIT = -1
TOKEN_SECONDS = AUDIO_STRIDE * HOP / RATE


@torch.no_grad()
def picture_tokens(world: DigitsWorld, ids: Sequence[str]) -> Tokens:
    """One token per four pixel columns of each picture; places are boxes in pixels."""
    space, pictures = world.image_space, parse_pictures(ids)
    batches = (space.item_tokens(*batch) for batch in world.pictures.batches(pictures))
    vectors, counts = _joined(batches)
    left = _step_within(counts) * float(IMAGE_STRIDE)
    places = np.stack([left, np.zeros_like(left), left + IMAGE_STRIDE, np.full_like(left, TILE)], axis=1)
    return Tokens.from_arrays(
        vectors, _offsets(counts), places, modality="image", space=space.name, unit="pixels", ids=ids
    )


@torch.no_grad()
def utterance_tokens(world: DigitsWorld, ids: Sequence[str]) -> Tokens:
    """One token per 64 ms of each utterance; places are spans in seconds."""
    space, utterances = world.audio_space, parse_utterances(ids)
    batches = (space.item_tokens(*batch) for batch in world.utterances.batches(utterances))
    vectors, counts = _joined(batches)
    start = _step_within(counts) * TOKEN_SECONDS
    places = np.stack([start, start + TOKEN_SECONDS], axis=1)
    return Tokens.from_arrays(
        vectors, _offsets(counts), places, modality="audio", space=space.name, unit="seconds", ids=ids
    )


@torch.no_grad()
def text_tokens(space: ContrastiveSpace, ids: Sequence[str], texts: Sequence[str] | None = None) -> Tokens:
    """One token per word of each sequence's caption in the space's wording; places are characters of the caption.

    ``texts`` are other captions to be read instead.
    """
    written = captions_of(space, ids) if texts is None else list(texts)
    blocks = (written[start : start + EMBED_ROWS] for start in range(0, len(written), EMBED_ROWS))
    words = (torch.from_numpy(space.wording.tokens(block)) for block in blocks)
    vectors, counts = _joined(space.text_tokens(batch) for batch in words)
    spans = [match.span() for text in written for match in TOKEN.finditer(text.lower())]
    return Tokens.from_arrays(
        vectors,
        _offsets(counts),
        np.array(spans, np.float32),
        modality="text",
        space=space.name,
        unit="characters",
        ids=ids,
    )


def captions_of(space: ContrastiveSpace, ids: Sequence[str]) -> list[str]:
    """The captions, in a space's wording, of any items of this world."""
    return captions(concepts_of(_digits_of_ids(ids)), space)


def picture_digits(tokens: Tokens) -> Int[np.ndarray, " tokens"]:
    """The digit in whose box each token's middle lies, -1 where in none."""
    pictures = parse_pictures(tokens.ids)
    ends = np.where(pictures.lefts >= 0, pictures.lefts + TILE, -1)
    middles = (tokens.places[:, 0] + tokens.places[:, 2]) / 2
    return _digit_at(middles, tokens, pictures.lefts, ends)


def utterance_digits(tokens: Tokens, world: DigitsWorld) -> Int[np.ndarray, " tokens"]:
    """The digit that is being spoken in each token's middle, -1 where none."""
    utterances = parse_utterances(tokens.ids)
    starts = np.where(utterances.starts >= 0, utterances.starts * HOP / RATE, -1)
    lengths = np.diff(world.source.speech.offset)[np.maximum(utterances.recordings, 0)] / RATE
    ends = np.where(utterances.starts >= 0, starts + lengths, -1)
    return _digit_at(tokens.places.mean(1), tokens, starts, ends)


def text_digits(tokens: Tokens, texts: Sequence[str]) -> Int[np.ndarray, " tokens"]:
    """The digit each word names, -1 for words that name none."""
    named = [dict.fromkeys(digit_spans(text)) for text in texts]
    starts = tokens.places[:, 0].astype(int)
    rows = np.repeat(np.arange(len(tokens)), tokens.counts)
    digits = np.full(len(starts), NO_DIGIT, dtype=np.int64)
    spans = zip(rows.tolist(), starts.tolist(), tokens.places[:, 1].astype(int).tolist(), strict=True)
    for number, (row, start, end) in enumerate(spans):
        if (start, end) in named[row]:
            digits[number] = DIGIT_OF_WORD[texts[row][start:end].lower()]
    return digits


def _digit_at(
    middles: Float[np.ndarray, " tokens"],
    tokens: Tokens,
    starts: Float[np.ndarray, "items 5"],
    ends: Float[np.ndarray, "items 5"],
) -> Int[np.ndarray, " tokens"]:
    row = np.repeat(np.arange(len(tokens)), tokens.counts)
    inside = (starts[row] <= middles[:, None]) & (middles[:, None] < ends[row])
    digits = _digits_of_ids(tokens.ids)[row]
    return np.where(inside.any(1), np.take_along_axis(digits, inside.argmax(1)[:, None], 1)[:, 0], NO_DIGIT)


def _digits_of_ids(ids: Sequence[str]) -> Int[np.ndarray, "items 5"]:
    rows = np.full((len(ids), 5), NO_DIGIT, dtype=np.int64)
    for row, item in enumerate(ids):
        digits = digits_in(item)
        rows[row, : len(digits)] = digits
    return rows


def _joined(
    batches: Iterable[tuple[Tensor, Tensor]],
) -> tuple[Float[np.ndarray, "tokens width"], Int[np.ndarray, " items"]]:
    vectors, counts = [], []
    for tokens, present in batches:
        vectors.append(tokens[present].numpy())
        counts.append(present.sum(1).numpy())
    return np.concatenate(vectors), np.concatenate(counts)


def _offsets(counts: Int[np.ndarray, " items"]) -> Int[np.ndarray, " items_and_one"]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _step_within(counts: Int[np.ndarray, " items"]) -> Float[np.ndarray, " tokens"]:
    return (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.float32)
