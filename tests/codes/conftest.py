"""A small digits world with tokens: pairs to learn codes from, two sides without pairs, and galleries to judge by."""

import pytest

from isthmus.codes.objective import Items
from isthmus.embeddings import Embeddings
from isthmus.evaluate.token_labels import Labelled
from isthmus.worlds.digits import fine
from isthmus.worlds.digits.build import build
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.space import ContrastiveSpace
from isthmus.worlds.digits.variant import Variant

PAIRS, GALLERY = 600, 120


@pytest.fixture(scope="session")
def digits() -> DigitsWorld:
    return build()


def texts(space: ContrastiveSpace, ids: list[str]) -> Items:
    captions = fine.captions_of(space, ids)
    vectors = space.embed_texts(captions).numpy()
    return Items(
        fine.text_tokens(space, ids, captions),
        Embeddings.from_array(vectors, modality="text", space=space.name, ids=ids),
    )


def labelled(digits: DigitsWorld, image: list[str], audio: list[str]) -> dict[str, Labelled]:
    captions = fine.captions_of(digits.image_space, image)
    return {
        "image": Labelled(fine.picture_tokens(digits, image), fine.picture_regions(digits, image)),
        "audio": Labelled(fine.utterance_tokens(digits, audio), fine.utterance_regions(digits, audio)),
        "text": Labelled(fine.text_tokens(digits.image_space, image, captions), fine.text_regions(captions)),
    }


@pytest.fixture(scope="session")
def pairs(digits: DigitsWorld) -> dict[str, Items]:
    """Image, audio and text of the same sequences, row by row."""
    world = digits.world("test", Variant(texts=10, memory=10, pairs=PAIRS, gallery=10))
    assert world.pairs is not None
    image, audio = world.pairs
    return {
        "image": Items(fine.picture_tokens(digits, image.ids), image),
        "audio": Items(fine.utterance_tokens(digits, audio.ids), audio),
        "text": texts(digits.image_space, image.ids),
    }


@pytest.fixture(scope="session")
def sides(digits: DigitsWorld) -> tuple[dict[str, Items], dict[str, Items]]:
    """Two spaces without a pair: items with captions of their own, and texts that both sides have."""
    world = digits.world("test", Variant(texts=PAIRS, memory=PAIRS, pairs=0, gallery=10))
    image, audio = world.left["image"], world.right["audio"]
    shared = world.left["text"].ids
    return (
        {
            "image": Items(fine.picture_tokens(digits, image.ids), image),
            "text": texts(digits.image_space, shared + image.ids),
        },
        {
            "audio": Items(fine.utterance_tokens(digits, audio.ids), audio),
            "text": texts(digits.audio_space, shared + audio.ids),
        },
    )


@pytest.fixture(scope="session")
def taught(pairs: dict[str, Items], digits: DigitsWorld) -> dict[str, Labelled]:
    return labelled(digits, pairs["image"].tokens.ids[:GALLERY], pairs["audio"].tokens.ids[:GALLERY])


@pytest.fixture(scope="session")
def asked(digits: DigitsWorld) -> dict[str, dict[str, Labelled]]:
    gallery = digits.world("test", Variant(texts=10, memory=10, pairs=0, gallery=GALLERY)).galleries["seen"]
    return {"seen": labelled(digits, gallery.left.ids, gallery.right.ids)}
