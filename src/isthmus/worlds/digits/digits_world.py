"""The digits world: recordings, their splits and two trained spaces; draws `World`s and shows any of their items."""

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
from isthmus.worlds.digits.concepts import digits_of, draw_distinct, draw_hard, draw_repeatedly, random_stream
from isthmus.worlds.digits.items import audio_ids, audio_of, digits_in, image_ids, image_of, text_ids
from isthmus.worlds.digits.recordings.handwriting import compose_images, draw_images
from isthmus.worlds.digits.recordings.recordings import Recordings, Splits
from isthmus.worlds.digits.recordings.speech import RATE, compose_waveform, draw_audio, seconds
from isthmus.worlds.digits.spaces.feeds import AudioFeed, ImageFeed
from isthmus.worlds.digits.wording import NAMES, Wording
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.world import Gallery, Sizes, World

GALLERIES = ("seen", "unseen", "hard")
Speakers = Literal["seen", "unseen"]


@dataclass(frozen=True)
class DigitsWorld:
    """Recordings, their splits and those of the digit sequences, and the two trained spaces."""

    source: Recordings
    splits: Splits
    concepts: Mapping[str, Int[np.ndarray, " _"]]
    image_space: ContrastiveSpace
    audio_space: ContrastiveSpace
    image_feed: ImageFeed = field(repr=False)
    audio_feed: AudioFeed = field(repr=False)

    def world(self, split: str = "dev", sizes: Sizes | None = None, seed: int = 0) -> World:
        """Memories, texts and pairs of the training split, and the galleries of ``split``.

        Image memory, audio memory, texts and pairs are drawn independently. The galleries' sequences, images and
        recordings occur nowhere else. The ``unseen`` gallery is spoken by the speaker kept out of training.
        """
        if split not in ("dev", "test"):
            raise IsthmusError(f"split {split!r}: the digits world has galleries for 'dev' and 'test'")
        sizes = sizes or Sizes()
        texts = self._draw("texts", sizes.texts, seed)
        image_memory = self.embed_images(self._draw("image", sizes.memory, seed), "train", seed)
        audio_memory = self.embed_audio(self._draw("audio", sizes.memory, seed), "train", seed)
        return World(
            f"{self.source.name} {split}",
            "text",
            {"text": self.embed_texts(texts, self.image_space), "image": image_memory},
            {"text": self.embed_texts(texts, self.audio_space), "audio": audio_memory},
            {name: self._gallery(name, split, sizes.gallery, seed) for name in GALLERIES},
            self._pairs(sizes.pairs, seed) if sizes.pairs else None,
        )

    def embed_images(self, concepts: Int[np.ndarray, " n"], split: str, seed: int) -> Embeddings:
        """One image of each sequence, composed of the digit images of a split."""
        # The role names the stream of draws: the figures in the documentation depend on it.
        rng = random_stream(seed, f"pictures {split} {zlib.crc32(concepts.tobytes())}")
        drawn = draw_images(digits_of(concepts), self.source.handwriting, self.splits.images[split], rng)
        vectors = self.image_space.embed_items(self.image_feed.batches(drawn)).numpy()
        ids = image_ids(concepts, drawn)
        return Embeddings.from_array(vectors, modality="image", space=self.image_space.name, ids=ids)

    def embed_audio(
        self, concepts: Int[np.ndarray, " n"], split: str, seed: int, speakers: Speakers = "seen"
    ) -> Embeddings:
        """One audio clip of each sequence, from a split's recordings by the seen speakers or by the unseen one."""
        rng = random_stream(seed, f"utterances {split} {speakers} {zlib.crc32(concepts.tobytes())}")
        rows = (self.splits.seen if speakers == "seen" else self.splits.unseen)[split]
        drawn = draw_audio(digits_of(concepts), self.source.speech, rows, rng)
        vectors = self.audio_space.embed_items(self.audio_feed.batches(drawn)).numpy()
        ids = audio_ids(concepts, drawn)
        return Embeddings.from_array(vectors, modality="audio", space=self.audio_space.name, ids=ids)

    def embed_texts(self, concepts: Int[np.ndarray, " n"], space: ContrastiveSpace) -> Embeddings:
        """The captions of the sequences in a space's wording; the ids are their digits."""
        vectors = space.embed_texts(captions(concepts, space)).numpy()
        return Embeddings.from_array(vectors, modality="text", space=space.name, ids=text_ids(concepts))

    def base_retrieval(self, split: str = "test", count: int = 1000) -> dict[str, float]:
        """R@1 within each space, of ``count`` items against their captions, mean of both directions."""
        concepts = self._draw_gallery("seen", split, count, 0)
        image_texts, audio_texts = (self.embed_texts(concepts, space) for space in (self.image_space, self.audio_space))
        items = {
            "image": (self.embed_images(concepts, split, 0), image_texts),
            "audio.seen": (self.embed_audio(concepts, split, 0), audio_texts),
            "audio.unseen": (self.embed_audio(concepts, split, 0, "unseen"), audio_texts),
        }
        labels = (concepts, concepts)
        return {
            name: (retrieval(a, b, labels).recall[1] + retrieval(b, a, labels).recall[1]) / 2
            for name, (a, b) in items.items()
        }

    def image(self, item: str) -> UInt8[np.ndarray, "28 168"]:
        """The pixels of an image id."""
        return compose_images(image_of(item), self.source.handwriting)[0]

    def boxes(self, item: str) -> Int[np.ndarray, "digits 4"]:
        """The box of each digit of an image: left, top, right, bottom in pixels, right and bottom exclusive."""
        return image_of(item).boxes(0)

    def waveform(self, item: str) -> tuple[Float32[np.ndarray, " samples"], int]:
        """The samples of an audio id, and their rate."""
        return compose_waveform(audio_of(item), 0, self.source.speech), RATE

    def seconds(self, item: str) -> Float[np.ndarray, "digits 2"]:
        """When each digit of an audio clip is spoken: start and end in seconds."""
        return seconds(audio_of(item), 0, self.source.speech)

    def words(self, item: str) -> str:
        """The digits of any item as words: "three seven zero"."""
        return " ".join(NAMES[digit] for digit in digits_in(item))

    def _draw(self, role: str, count: int, seed: int) -> Int[np.ndarray, " count"]:
        """Sequences of the training split for one role."""
        return draw_repeatedly(self.concepts["train"], count, random_stream(seed, role))

    def _pairs(self, count: int, seed: int) -> tuple[Embeddings, Embeddings]:
        concepts = self._draw("pairs", count, seed)
        return self.embed_images(concepts, "train", seed), self.embed_audio(concepts, "train", seed)

    def _draw_gallery(self, name: str, split: str, count: int, seed: int) -> Int[np.ndarray, " items"]:
        draw = draw_hard if name == "hard" else draw_distinct
        return draw(self.concepts[split], count, random_stream(seed, f"gallery {name} {split}"))

    def _gallery(self, name: str, split: str, count: int, seed: int) -> Gallery:
        concepts = self._draw_gallery(name, split, count, seed)
        speakers: Speakers = "unseen" if name == "unseen" else "seen"
        images = self.embed_images(concepts, split, seed)
        return Gallery(images, self.embed_audio(concepts, split, seed, speakers), concepts, concepts)


def captions(concepts: Int[np.ndarray, " n"], space: ContrastiveSpace) -> list[str]:
    """A caption of each sequence in the space's wording; the phrasing is determined by the sequence."""
    assert isinstance(space.wording, Wording)
    rows = digits_of(concepts).tolist()
    return [
        space.wording.caption(concept, [digit for digit in row if digit >= 0])
        for concept, row in zip(concepts.tolist(), rows, strict=True)
    ]
