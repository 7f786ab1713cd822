"""A world as training and evaluation of codes take it: linked items with tokens, and labelled galleries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from isthmus.codes.learning.pairs import CodeItems, PairSource, pairs_by_row
from isthmus.codes.learning.sources import LinkedItems, link_without_pairs
from isthmus.connectors.connector import Connector
from isthmus.demo.token_source import TokenSource
from isthmus.embeddings import Embeddings
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.world import Gallery, World


@dataclass(frozen=True)
class CodeData:
    """What codes are trained on, with and without pairs, and the labelled items they are judged on.

    Each part is made when it is first needed, from all items of ``world``. With a connector, the data without pairs
    include neighbour pairs in its joint space.
    """

    source: TokenSource
    world: World
    connector: Connector | None = None

    @cached_property
    def paired(self) -> LinkedItems:
        """Items with true pairs."""
        return true_pairs(self.source, self.world)

    @cached_property
    def unpaired(self) -> LinkedItems:
        """Items without."""
        return link_without_pairs(*unpaired_sides(self.source, self.world), connector=self.connector)

    @cached_property
    def training(self) -> Mapping[str, LabelledTokens]:
        """Labelled training items by modality."""
        return labelled_training(self.source, self.world)

    @cached_property
    def galleries(self) -> Mapping[str, Mapping[str, LabelledTokens]]:
        """Labelled items of the galleries, by gallery and modality."""
        return labelled_galleries(self.source, self.world)

    @property
    def names(self) -> Sequence[str]:
        """The names of the labels."""
        return self.source.label_names

    def linked(self, *, paired: bool) -> LinkedItems:
        """The items with pairs or without; the others are given up, because both together need too much memory."""
        self.__dict__.pop("unpaired" if paired else "paired", None)
        return self.paired if paired else self.unpaired


def code_data(
    source: TokenSource,
    world: World,
    items: int | None = None,
    gallery: int | None = None,
    connector: Connector | None = None,
) -> CodeData:
    """All data for codes of a world, from the first ``items`` of every memory and ``gallery`` of every gallery."""
    return CodeData(source, _first(world, items, gallery), connector)


def text_items(source: TokenSource, space: ContrastiveSpace, ids: Sequence[str]) -> CodeItems:
    """The captions of any items of the world, in a space's wording, with tokens."""
    captions = source.captions(space, ids)
    vectors = space.embed_texts(captions).numpy()
    pooled = Embeddings.from_array(vectors, modality="text", space=space.name, ids=ids)
    return CodeItems(source.text_tokens(space, ids, captions), pooled)


def image_items(source: TokenSource, images: Embeddings) -> CodeItems:
    """Images with tokens."""
    return CodeItems(source.image_tokens(images.ids), images)


def audio_items(source: TokenSource, audio: Embeddings) -> CodeItems:
    """Audio clips with tokens."""
    return CodeItems(source.audio_tokens(audio.ids), audio)


def true_pairs(source: TokenSource, world: World) -> LinkedItems:
    """Image, audio and text of the same concepts, linked by row."""
    assert world.pairs is not None
    image, audio = world.pairs
    items = {
        "image": image_items(source, image),
        "audio": audio_items(source, audio),
        "text": text_items(source, source.image_space, image.ids),
    }
    names = (("image", "audio"), ("image", "text"), ("audio", "text"))
    sources: list[PairSource] = [pairs_by_row(left, right, len(image)) for left, right in names]
    return LinkedItems(items, sources)


def unpaired_sides(source: TokenSource, world: World) -> tuple[dict[str, CodeItems], dict[str, CodeItems]]:
    """The memory of each space, with captions of its items and the texts both spaces share; no pairs."""
    image, audio = world.left["image"], world.right["audio"]
    shared = world.left["text"].ids
    return (
        {"image": image_items(source, image), "text": text_items(source, source.image_space, shared + image.ids)},
        {"audio": audio_items(source, audio), "text": text_items(source, source.audio_space, shared + audio.ids)},
    )


def labelled(source: TokenSource, images: Sequence[str], audio: Sequence[str]) -> dict[str, LabelledTokens]:
    """Images, audio clips and the images' captions with the true region of each label."""
    captions = source.captions(source.image_space, images)
    text = source.text_tokens(source.image_space, images, captions)
    return {
        "image": LabelledTokens(source.image_tokens(images), source.image_regions(images)),
        "audio": LabelledTokens(source.audio_tokens(audio), source.audio_regions(audio)),
        "text": LabelledTokens(text, source.text_regions(captions)),
    }


def labelled_training(source: TokenSource, world: World) -> dict[str, LabelledTokens]:
    """Labelled training items, for classifiers of codes."""
    count = source.labelled_items
    return labelled(source, world.left["image"].ids[:count], world.right["audio"].ids[:count])


def labelled_galleries(source: TokenSource, world: World) -> Mapping[str, Mapping[str, LabelledTokens]]:
    """The labelled galleries that codes are judged on."""
    galleries = {name: world.galleries[name] for name in source.code_galleries}
    return {name: labelled(source, own.left.ids, own.right.ids) for name, own in galleries.items()}


def _first(world: World, items: int | None, gallery: int | None) -> World:
    def few(embeddings: Embeddings, count: int | None) -> Embeddings:
        return embeddings.take(np.arange(min(count or len(embeddings), len(embeddings))))

    def smaller(own: Gallery) -> Gallery:
        concepts = own.left_concepts[:gallery], own.right_concepts[:gallery]
        return Gallery(few(own.left, gallery), few(own.right, gallery), *concepts)

    left, right = ({name: few(own, items) for name, own in side.items()} for side in (world.left, world.right))
    galleries = {name: smaller(own) for name, own in world.galleries.items()}
    pairs = world.pairs and (few(world.pairs[0], items), few(world.pairs[1], items))
    return replace(world, left=left, right=right, galleries=galleries, pairs=pairs)
