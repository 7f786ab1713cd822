"""The digits world as code learning sees it: true pairs, two sides without a pair, and labelled galleries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.codes.learning.pairs import CodeItems
from isthmus.codes.learning.pairs import PairSource, pairs_by_row
from isthmus.codes.learning.sources import LinkedItems, link_without_pairs
from isthmus.connectors.connector import Connector
from isthmus.embeddings import Embeddings
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.digits import tokens as fine
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.spaces.space import ContrastiveSpace
from isthmus.worlds.digits.wording import NAMES
from isthmus.worlds.world import Gallery, World

TAUGHT = 400
"""CodeItems on whose codes heads are trained."""


@dataclass(frozen=True)
class Lessons:
    """What codes are learned from, with pairs and without, and the labelled items they are judged by.

    ``taught`` are training items, by modality; ``asked`` are galleries of other items, by name and modality; ``names``
    say what each label is.
    """

    paired: LinkedItems
    unpaired: LinkedItems
    taught: Mapping[str, LabelledTokens]
    asked: Mapping[str, Mapping[str, LabelledTokens]]
    names: Sequence[str]


def lessons(
    digits: DigitsWorld,
    world: World,
    items: int | None = None,
    gallery: int | None = None,
    connector: Connector | None = None,
) -> Lessons:
    """Everything code learning needs of a world; of every memory the first ``items``, of every gallery ``gallery``.

    With a connector its pseudo pairs are among what is learned from without pairs.
    """
    fewer = _first(world, items, gallery)
    unpaired = link_without_pairs(*sides(digits, fewer), connector=connector)
    taught, asked = taught_items(digits, fewer), asked_galleries(digits, fewer)
    return Lessons(true_pairs(digits, fewer), unpaired, taught, asked, NAMES)


def text_items(space: ContrastiveSpace, ids: Sequence[str]) -> CodeItems:
    """Any items of this world as captions in a space's wording."""
    captions = fine.captions_of(space, ids)
    vectors = space.embed_texts(captions).numpy()
    pooled = Embeddings.from_array(vectors, modality="text", space=space.name, ids=ids)
    return CodeItems(fine.text_tokens(space, ids, captions), pooled)


def image_items(digits: DigitsWorld, pictures: Embeddings) -> CodeItems:
    """ImageLayouts with their tokens."""
    return CodeItems(fine.image_tokens(digits, pictures.ids), pictures)


def audio_items(digits: DigitsWorld, utterances: Embeddings) -> CodeItems:
    """AudioLayouts with their tokens."""
    return CodeItems(fine.audio_tokens(digits, utterances.ids), utterances)


def true_pairs(digits: DigitsWorld, world: World) -> LinkedItems:
    """What a paired run learns from: image, audio and text of the same sequences."""
    assert world.pairs is not None
    image, audio = world.pairs
    items = {
        "image": image_items(digits, image),
        "audio": audio_items(digits, audio),
        "text": text_items(digits.image_space, image.ids),
    }
    names = (("image", "audio"), ("image", "text"), ("audio", "text"))
    sources: list[PairSource] = [pairs_by_row(left, right, len(image)) for left, right in names]
    return LinkedItems(items, sources)


def sides(digits: DigitsWorld, world: World) -> tuple[dict[str, CodeItems], dict[str, CodeItems]]:
    """The memories of both spaces with captions of their own, and the texts that both spaces have; no pair."""
    image, audio = world.left["image"], world.right["audio"]
    shared = world.left["text"].ids
    return (
        {"image": image_items(digits, image), "text": text_items(digits.image_space, shared + image.ids)},
        {"audio": audio_items(digits, audio), "text": text_items(digits.audio_space, shared + audio.ids)},
    )


def labelled(digits: DigitsWorld, pictures: Sequence[str], utterances: Sequence[str]) -> dict[str, LabelledTokens]:
    """ImageLayouts, utterances, and the pictures' captions, with the truth about where each digit is."""
    captions = fine.captions_of(digits.image_space, pictures)
    return {
        "image": LabelledTokens(fine.image_tokens(digits, pictures), fine.image_regions(digits, pictures)),
        "audio": LabelledTokens(fine.audio_tokens(digits, utterances), fine.audio_regions(digits, utterances)),
        "text": LabelledTokens(fine.text_tokens(digits.image_space, pictures, captions), fine.text_regions(captions)),
    }


def taught_items(digits: DigitsWorld, world: World) -> dict[str, LabelledTokens]:
    """Training items whose truth heads may see."""
    return labelled(digits, world.left["image"].ids[:TAUGHT], world.right["audio"].ids[:TAUGHT])


def asked_galleries(digits: DigitsWorld, world: World) -> Mapping[str, Mapping[str, LabelledTokens]]:
    """The galleries on which all is measured: seen voices, and the unseen one."""
    galleries = {name: world.galleries[name] for name in ("seen", "unseen")}
    return {name: labelled(digits, own.left.ids, own.right.ids) for name, own in galleries.items()}


def _first(world: World, items: int | None, gallery: int | None) -> World:
    def few(embeddings: Embeddings, count: int | None) -> Embeddings:
        return embeddings.take(np.arange(min(count or len(embeddings), len(embeddings))))

    def fewer(own: Gallery) -> Gallery:
        concepts = own.left_concepts[:gallery], own.right_concepts[:gallery]
        return Gallery(few(own.left, gallery), few(own.right, gallery), *concepts)

    left, right = ({name: few(own, items) for name, own in side.items()} for side in (world.left, world.right))
    galleries = {name: fewer(own) for name, own in world.galleries.items()}
    pairs = world.pairs and (few(world.pairs[0], items), few(world.pairs[1], items))
    return replace(world, left=left, right=right, galleries=galleries, pairs=pairs)
