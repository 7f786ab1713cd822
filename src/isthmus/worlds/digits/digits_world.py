"""The digits world: a source, its splits and two trained spaces; gives `World`s, and shows any item of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.metrics import retrieval
from isthmus.worlds.digits.concepts import concepts_of, digits_of, draw_distinct
from isthmus.worlds.digits.galleries import draw_hard
from isthmus.worlds.digits.gap import with_gap
from isthmus.worlds.digits.items import (
    digits_in,
    picture_ids,
    picture_of,
    text_ids,
    utterance_ids,
    utterance_of,
)
from isthmus.worlds.digits.recordings.handwriting import compose_pictures, draw_pictures
from isthmus.worlds.digits.recordings.recordings import Recordings, Splits
from isthmus.worlds.digits.recordings.speech import RATE, compose_waveform, draw_utterances, seconds
from isthmus.worlds.digits.spaces.feeds import PictureFeed, UtteranceFeed
from isthmus.worlds.digits.spaces.space import ContrastiveSpace
from isthmus.worlds.digits.variant import Variant
from isthmus.worlds.digits.wording import NAMES
from isthmus.worlds.world import Gallery, World

GALLERIES = ("seen", "unseen", "hard")
PLAIN = Variant()


@dataclass(frozen=True)
class DigitsWorld:
    """Everything of one source: banks, splits of images, recordings and sequences, and the two trained spaces."""

    source: Recordings
    splits: Splits
    concepts: Mapping[str, Int[np.ndarray, " _"]]
    image_space: ContrastiveSpace
    audio_space: ContrastiveSpace
    pictures: PictureFeed = field(repr=False)
    utterances: UtteranceFeed = field(repr=False)

    def world(self, split: str = "dev", variant: Variant = PLAIN) -> World:
        """Memories, texts and pairs of the training split, and the galleries of ``split``.

        Image memory, audio memory, texts and pairs are drawn independently. The galleries' sequences, images and
        recordings occur nowhere else. ``unseen`` is spoken by the speaker kept out of training.
        """
        if split not in ("dev", "test"):
            raise IsthmusError(f"split {split!r}: the digits world has galleries for 'dev' and 'test'")
        texts = self._draw("texts", variant.texts, variant)
        left_text, right_text = self._texts(texts, variant)
        image_memory = self.embed_pictures(self._draw("image", variant.memory, variant), "train", variant.seed)
        audio_memory = self.embed_utterances(self._draw("audio", variant.memory, variant), "train", variant.seed)
        plain = World(
            f"{self.source.name} {split} {variant.name}",
            "digits",
            "text",
            {"text": left_text, "image": image_memory},
            {"text": right_text, "audio": audio_memory},
            {name: self._gallery(name, split, variant) for name in GALLERIES},
            self._pairs(variant),
            {"unseen_speaker": self.splits.unseen_speaker, "wrong_words": variant.wrong_words},
        )
        return with_gap(plain, variant.gap) if variant.gap else plain

    def embed_pictures(self, concepts: Int[np.ndarray, " n"], split: str, seed: int) -> Embeddings:
        """A picture of each sequence, from the images of a split."""
        rng = _stream(seed, f"pictures {split} {zlib.crc32(concepts.tobytes())}")
        drawn = draw_pictures(digits_of(concepts), self.source.handwriting, self.splits.images[split], rng)
        vectors = self.image_space.embed_items(self.pictures.batches(drawn)).numpy()
        ids = picture_ids(concepts, drawn)
        return Embeddings.from_array(vectors, modality="image", space=self.image_space.name, ids=ids)

    def embed_utterances(
        self, concepts: Int[np.ndarray, " n"], split: str, seed: int, voices: Literal["seen", "unseen"] = "seen"
    ) -> Embeddings:
        """An utterance of each sequence, from the recordings of a split by the seen speakers or the unseen one."""
        rng = _stream(seed, f"utterances {split} {voices} {zlib.crc32(concepts.tobytes())}")
        rows = (self.splits.seen if voices == "seen" else self.splits.unseen)[split]
        drawn = draw_utterances(digits_of(concepts), self.source.speech, rows, rng)
        vectors = self.audio_space.embed_items(self.utterances.batches(drawn)).numpy()
        ids = utterance_ids(concepts, drawn)
        return Embeddings.from_array(vectors, modality="audio", space=self.audio_space.name, ids=ids)

    def embed_texts(
        self, concepts: Int[np.ndarray, " n"], space: ContrastiveSpace, written: Int[np.ndarray, " n"] | None = None
    ) -> Embeddings:
        """The sequences in a space's own wording; the ids are their digits.

        ``written`` are the sequences that the texts really say, where captions are wrong.
        """
        said = concepts if written is None else written
        vectors = space.embed_texts(captions(said, space)).numpy()
        return Embeddings.from_array(vectors, modality="text", space=space.name, ids=text_ids(concepts))

    def base_retrieval(self, split: str = "test", count: int = 1000) -> dict[str, float]:
        """R@1 within each space, items against their own texts, mean of both directions, over ``count`` items."""
        concepts = self._draw_gallery("seen", split, Variant(gallery=count))
        image_texts, audio_texts = (self.embed_texts(concepts, space) for space in (self.image_space, self.audio_space))
        items = {
            "image": (self.embed_pictures(concepts, split, 0), image_texts),
            "audio.seen": (self.embed_utterances(concepts, split, 0), audio_texts),
            "audio.unseen": (self.embed_utterances(concepts, split, 0, "unseen"), audio_texts),
        }
        labels = (concepts, concepts)
        return {
            name: (retrieval(a, b, labels).recall[1] + retrieval(b, a, labels).recall[1]) / 2
            for name, (a, b) in items.items()
        }

    def image(self, item: str) -> UInt8[np.ndarray, "28 168"]:
        """The picture an image id stands for."""
        return compose_pictures(picture_of(item), self.source.handwriting)[0]

    def boxes(self, item: str) -> Int[np.ndarray, "digits 4"]:
        """Where the digits of a picture lie: left, top, right, bottom in pixels, right and bottom exclusive."""
        return picture_of(item).boxes(0)

    def waveform(self, item: str) -> tuple[Float32[np.ndarray, " samples"], int]:
        """The sound an audio id stands for, and its rate."""
        return compose_waveform(utterance_of(item), 0, self.source.speech), RATE

    def seconds(self, item: str) -> Float[np.ndarray, "digits 2"]:
        """When the digits of an utterance are spoken: start and end in seconds."""
        return seconds(utterance_of(item), 0, self.source.speech)

    def words(self, item: str) -> str:
        """What any item says: "three seven zero"."""
        return " ".join(NAMES[digit] for digit in digits_in(item))

    def speaker(self, item: str) -> str:
        """Who speaks an utterance."""
        return str(self.source.speech.speaker[utterance_of(item).recordings[0, 0]])

    def _draw(self, role: str, count: int, variant: Variant) -> Int[np.ndarray, " count"]:
        """Sequences of the training split for one role; again and again the same few where digits are restricted."""
        concepts = self.concepts["train"]
        allowed = {"image": variant.image_digits, "audio": variant.audio_digits}.get(role, "0123456789")
        digits = digits_of(concepts)
        concepts = concepts[np.isin(digits, [-1, *map(int, allowed)]).all(1)]
        rng = _stream(variant.seed, role)
        rounds = [draw_distinct(concepts, min(count, len(concepts)), rng) for _ in range(-(-count // len(concepts)))]
        return np.concatenate([np.empty(0, np.int64), *rounds])[:count]

    def _texts(self, concepts: Int[np.ndarray, " n"], variant: Variant) -> tuple[Embeddings, Embeddings]:
        heard = replace_digits(concepts, variant.wrong_words, _stream(variant.seed, "wrong words"))
        return self.embed_texts(concepts, self.image_space), self.embed_texts(concepts, self.audio_space, heard)

    def _pairs(self, variant: Variant) -> tuple[Embeddings, Embeddings] | None:
        if variant.pairs == 0:
            return None
        concepts = self._draw("pairs", variant.pairs, variant)
        return self.embed_pictures(concepts, "train", variant.seed), self.embed_utterances(
            concepts, "train", variant.seed
        )

    def _draw_gallery(self, name: str, split: str, variant: Variant) -> Int[np.ndarray, " items"]:
        draw = draw_hard if name == "hard" else draw_distinct
        return draw(self.concepts[split], variant.gallery, _stream(variant.seed, f"gallery {name} {split}"))

    def _gallery(self, name: str, split: str, variant: Variant) -> Gallery:
        concepts = self._draw_gallery(name, split, variant)
        voices: Literal["seen", "unseen"] = "unseen" if name == "unseen" else "seen"
        pictures = self.embed_pictures(concepts, split, variant.seed)
        utterances = self.embed_utterances(concepts, split, variant.seed, voices)
        return Gallery(pictures, utterances, concepts, concepts)


def captions(concepts: Int[np.ndarray, " n"], space: ContrastiveSpace) -> list[str]:
    """Each sequence as text, in the space's wording; the phrasing follows from the sequence."""
    rows = digits_of(concepts).tolist()
    return [
        space.wording.caption(concept, [digit for digit in row if digit >= 0])
        for concept, row in zip(concepts.tolist(), rows, strict=True)
    ]


def replace_digits(concepts: Int[np.ndarray, " n"], share: float, rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """Each digit replaced by a different one with probability ``share``."""
    digits = digits_of(concepts)
    wrong = (rng.random(digits.shape) < share) & (digits >= 0)
    return concepts_of(np.where(wrong, (digits + rng.integers(1, 10, digits.shape)) % 10, digits))


def _stream(seed: int, role: str) -> np.random.Generator:
    """A random stream of its own for each role, so that changing one count leaves the other draws as they were."""
    return np.random.default_rng([seed, zlib.crc32(role.encode())])
