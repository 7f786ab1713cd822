"""The things world: materials and two trained spaces; draws `World`s and shows any of their items."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.metrics import retrieval
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.things.drawings.layout import CHANCES as IMAGE_CHANCES
from isthmus.worlds.things.items import Items, concepts_of, parsed, text_ids
from isthmus.worlds.things.materials import ThingsMaterials
from isthmus.worlds.things.scenes import SPLITS, Scenes, draw_hard, draw_scenes, scenes_of, split_of
from isthmus.worlds.things.spaces.feeds import SceneFeed, SpeechFeed
from isthmus.worlds.things.speech.recordings import RATE
from isthmus.worlds.things.speech.sentences import CHANCES as SPEECH_CHANCES
from isthmus.worlds.things.speech.sentences import SpokenSentence, waveform, words_said
from isthmus.worlds.things.things import things
from isthmus.worlds.things.wording import SceneWording
from isthmus.worlds.world import Gallery, Sizes, World

MISSING_THINGS = 16
"""Things that the overlap's texts lack, and as many others that the audio memory lacks."""
GALLERIES = ("seen", "unseen_style", "unseen_voice", "hard", "missing")


@dataclass(frozen=True)
class ThingsWorld:
    """Drawings and recordings, the seed that splits scenes, and the two trained spaces."""

    materials: ThingsMaterials
    split_seed: int
    image_space: ContrastiveSpace
    speech_space: ContrastiveSpace

    @cached_property
    def image_feed(self) -> SceneFeed:
        """Makes images."""
        return SceneFeed(self.materials.drawings)

    @cached_property
    def speech_feed(self) -> SpeechFeed:
        """Makes sentences."""
        return SpeechFeed(self.materials.speech)

    @cached_property
    def missing(self) -> tuple[list[int], list[int]]:
        """The things that the overlap's texts lack, and those that the audio memory lacks."""
        order = np.random.default_rng([self.split_seed, 4]).permutation(len(things())).tolist()
        return order[:MISSING_THINGS], order[MISSING_THINGS : 2 * MISSING_THINGS]

    def world(self, split: str = "test", sizes: Sizes | None = None, seed: int = 0) -> World:
        """A world with galleries of one split.

        Args:
            split: "dev" or "test". Texts, memories and pairs are scenes of the training split in every case.
            sizes: How much of everything.
            seed: Seed of the draws.

        Returns:
            Texts without some things, an image memory of all things, an audio memory without some others, true pairs
            of all things, and the galleries: ``seen`` (styles and voices of the training), ``unseen_style``,
            ``unseen_voice``, ``hard`` (near misses), ``missing`` (each scene has a thing that the texts or the audio
            memory lack), and ``own`` if there are drawings or recordings of a user's own. All but ``missing`` show
            only things that texts and memories have.
        """
        if split not in SPLITS[1:]:
            raise IsthmusError(f"split {split!r}: the things world has galleries for 'dev' and 'test'")
        sizes = sizes or Sizes()
        without_text, without_audio = self.missing
        texts = self._scenes("texts", sizes.texts, "train", seed, without_text).concepts()
        shown = self._scenes("image", sizes.memory, "train", seed).concepts()
        heard = self._scenes("audio", sizes.memory, "train", seed, without_audio).concepts()
        return World(
            f"things {split}",
            "text",
            {"text": self.embed_texts(texts, self.image_space), "image": self.embed_images(shown, seed)},
            {"text": self.embed_texts(texts, self.speech_space), "audio": self.embed_audio(heard, seed)},
            {name: self.gallery(name, split, sizes.gallery, seed) for name in self.gallery_names},
            self._pairs(sizes.pairs, seed) if sizes.pairs else None,
        )

    @property
    def gallery_names(self) -> tuple[str, ...]:
        """The galleries of every world; ``own`` only with materials of a user's own."""
        own = self.materials.own_styles or self.materials.own_voices
        return (*GALLERIES, "own") if own else GALLERIES

    def gallery(self, name: str, split: str, count: int, seed: int) -> Gallery:
        """Images and sentences of the same scenes."""
        materials = self.materials
        styles = {"unseen_style": materials.unseen_styles, "own": materials.own_styles}.get(name, ())
        voices = {"unseen_voice": materials.unseen_voices, "own": materials.own_voices}.get(name, ())
        styles, voices = styles or materials.seen_styles, voices or materials.seen_voices
        concepts = self._gallery_scenes(name, split, count, seed, styles, voices).concepts()
        images = self.embed_images(concepts, seed, styles)
        return Gallery(images, self.embed_audio(concepts, seed, voices), concepts, concepts)

    def embed_images(self, concepts: Int[np.ndarray, " n"], seed: int, styles: Sequence[str] = ()) -> Embeddings:
        """One image of each scene in a random one of the styles (by default those seen in training)."""
        numbers = self.materials.style_numbers(styles or self.materials.seen_styles)
        return self.image_embeddings(_drawn(concepts, numbers, f"images {seed}"))

    def embed_audio(self, concepts: Int[np.ndarray, " n"], seed: int, voices: Sequence[str] = ()) -> Embeddings:
        """One sentence about each scene by a random one of the voices (by default those seen in training)."""
        numbers = self.materials.voice_numbers(voices or self.materials.seen_voices)
        return self.audio_embeddings(_drawn(concepts, numbers, f"sentences {seed}"))

    def image_embeddings(self, items: Items) -> Embeddings:
        """Images as the image space embeds them."""
        inputs = self.image_feed.batches(items.scenes, items.kinds, items.chances(IMAGE_CHANCES))
        vectors = self.image_space.embed_items(inputs).numpy()
        ids = items.ids(self.materials.drawings.styles)
        return Embeddings.from_array(vectors, modality="image", space=self.image_space.name, ids=ids)

    def audio_embeddings(self, items: Items) -> Embeddings:
        """Sentences as the speech space embeds them."""
        inputs = self.speech_feed.batches(items.scenes, items.kinds, items.chances(SPEECH_CHANCES))
        vectors = self.speech_space.embed_items(inputs).numpy()
        ids = items.ids(self.materials.speech.voices)
        return Embeddings.from_array(vectors, modality="audio", space=self.speech_space.name, ids=ids)

    def embed_texts(self, concepts: Int[np.ndarray, " n"], space: ContrastiveSpace) -> Embeddings:
        """The captions of scenes in a space's wording; the ids are the concept numbers."""
        vectors = space.embed_texts(captions(concepts, space)).numpy()
        return Embeddings.from_array(vectors, modality="text", space=space.name, ids=text_ids(concepts))

    def base_retrieval(self, split: str = "test", count: int = 1000) -> dict[str, float]:
        """R@1 as a share within each space: items against their captions, mean of both directions.

        The scenes have two or three things.
        """
        rng = np.random.default_rng([self.split_seed, 5, SPLITS.index(split)])

        def few(scenes: Scenes) -> Bool[np.ndarray, " n"]:
            total = scenes.count.sum(1)
            return self._of_split(scenes, split) & (total >= 2) & (total <= 3)

        concepts = draw_scenes(count, few, rng).concepts()
        image_texts, audio_texts = (self.embed_texts(concepts, own) for own in (self.image_space, self.speech_space))
        materials = self.materials
        items = {
            "image.seen": (self.embed_images(concepts, 0), image_texts),
            "image.unseen": (self.embed_images(concepts, 0, materials.unseen_styles), image_texts),
            "audio.seen": (self.embed_audio(concepts, 0), audio_texts),
            "audio.unseen": (self.embed_audio(concepts, 0, materials.unseen_voices), audio_texts),
        }
        labels = (concepts, concepts)
        return {
            name: (retrieval(a, b, labels).recall[1] + retrieval(b, a, labels).recall[1]) / 2
            for name, (a, b) in items.items()
        }

    def images(self, ids: Sequence[str]) -> Items:
        """The images with these ids."""
        return parsed(ids, self.materials.drawings.styles, "image")

    def audio(self, ids: Sequence[str]) -> Items:
        """The sentences with these ids."""
        return parsed(ids, self.materials.speech.voices, "audio")

    def image(self, item: str) -> UInt8[np.ndarray, "height width 3"]:
        """The pixels of an image id."""
        own = self.images([item])
        return self.image_feed.pixels(own.scenes, own.kinds, own.chances(IMAGE_CHANCES))[0]

    def boxes(self, item: str) -> tuple[Int[np.ndarray, " drawings"], Float[np.ndarray, "drawings 4"]]:
        """The thing that each drawing of an image shows, and its box: left, top, right, bottom in pixels."""
        own = self.images([item])
        layouts = self.image_feed.layouts(own.scenes, own.kinds, own.chances(IMAGE_CHANCES))
        return self.materials.drawings.thing[layouts.drawing], self.image_feed.painter.boxes(layouts)

    def waveform(self, item: str) -> tuple[Float32[np.ndarray, " samples"], int]:
        """The samples of an audio id, and their rate."""
        return waveform(self.sentence(item), self.materials.speech), RATE

    def seconds(self, item: str) -> list[tuple[str, float, float]]:
        """Each word or phrase of a sentence with its start and end in seconds."""
        return words_said(self.sentence(item))

    def sentence(self, item: str) -> SpokenSentence:
        """The sentence of an audio id: its units and their times."""
        own = self.audio([item])
        return self.speech_feed.sentences(own.scenes, own.kinds, own.chances(SPEECH_CHANCES))[0]

    def words(self, item: str) -> str:
        """What any item shows or says, as the image space words it."""
        return captions(concepts_of([item]), self.image_space)[0]

    def _of_split(self, scenes: Scenes, split: str) -> Bool[np.ndarray, " n"]:
        return split_of(scenes, self.split_seed) == SPLITS.index(split)

    def _scenes(self, role: str, count: int, split: str, seed: int, without: Sequence[int] = ()) -> Scenes:
        def allowed(scenes: Scenes) -> Bool[np.ndarray, " n"]:
            return self._of_split(scenes, split) & ~np.isin(scenes.thing, np.array(without, np.int64)).any(1)

        return draw_scenes(count, allowed, random_stream(seed, role))

    def _gallery_scenes(
        self, name: str, split: str, count: int, seed: int, styles: Sequence[str], voices: Sequence[str]
    ) -> Scenes:
        lacking = np.array([thing for without in self.missing for thing in without])

        def allowed(scenes: Scenes) -> Bool[np.ndarray, " n"]:
            known = np.isin(scenes.thing, lacking).any(1) == (name == "missing")
            able = self.materials.can_show(scenes, styles) & self.materials.can_say(scenes, voices)
            return self._of_split(scenes, split) & known & able

        rng = random_stream(seed, f"gallery {name} {split}")
        if name == "hard":
            return draw_hard(count, allowed, rng)
        # A user may have drawings of a few things only: among all things their scenes would be too rare to be found.
        among = self.materials.known(styles, voices) if name == "own" else None
        return draw_scenes(count, allowed, rng, among)

    def _pairs(self, count: int, seed: int) -> tuple[Embeddings, Embeddings]:
        concepts = self._scenes("pairs", count, "train", seed).concepts()
        return self.embed_images(concepts, seed), self.embed_audio(concepts, seed)


def captions(concepts: Int[np.ndarray, " n"], space: ContrastiveSpace) -> list[str]:
    """A caption of each scene in the space's wording; the phrasing is determined by the concept number."""
    assert isinstance(space.wording, SceneWording)
    return space.wording.captions(scenes_of(concepts))


def random_stream(seed: int, role: str) -> np.random.Generator:
    """An independent random stream per role, so changing how much one role draws leaves the others unchanged."""
    return np.random.default_rng([seed, zlib.crc32(role.encode())])


def _drawn(concepts: Int[np.ndarray, " n"], kinds: Int[np.ndarray, " kinds"], role: str) -> Items:
    """An item of each concept, of a random kind and with a random seed."""
    rng = random_stream(zlib.crc32(concepts.tobytes() + kinds.tobytes()), role)
    return Items(concepts, rng.choice(kinds, len(concepts)), rng.integers(0, 2**31, len(concepts)))
