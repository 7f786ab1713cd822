"""The digits world as code learning sees it: true pairs, two sides without a pair, and labelled galleries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.codes.objective import Items
from isthmus.codes.pairs import PairSource, paired_by_row
from isthmus.codes.sources import Unpaired
from isthmus.embeddings import Embeddings
from isthmus.evaluate.token_labels import Labelled
from isthmus.worlds.digits import fine
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.space import ContrastiveSpace
from isthmus.worlds.world import World

TAUGHT = 400
"""Items on whose codes heads are trained."""


def text_items(space: ContrastiveSpace, ids: Sequence[str]) -> Items:
    """Any items of this world as captions in a space's wording."""
    captions = fine.captions_of(space, ids)
    vectors = space.embed_texts(captions).numpy()
    pooled = Embeddings.from_array(vectors, modality="text", space=space.name, ids=ids)
    return Items(fine.text_tokens(space, ids, captions), pooled)


def picture_items(digits: DigitsWorld, pictures: Embeddings) -> Items:
    """Pictures with their tokens."""
    return Items(fine.picture_tokens(digits, pictures.ids), pictures)


def utterance_items(digits: DigitsWorld, utterances: Embeddings) -> Items:
    """Utterances with their tokens."""
    return Items(fine.utterance_tokens(digits, utterances.ids), utterances)


def true_pairs(digits: DigitsWorld, world: World) -> Unpaired:
    """What a paired run learns from: image, audio and text of the same sequences."""
    assert world.pairs is not None
    image, audio = world.pairs
    items = {
        "image": picture_items(digits, image),
        "audio": utterance_items(digits, audio),
        "text": text_items(digits.image_space, image.ids),
    }
    names = (("image", "audio"), ("image", "text"), ("audio", "text"))
    sources: list[PairSource] = [paired_by_row(left, right, len(image)) for left, right in names]
    return Unpaired(items, sources)


def sides(digits: DigitsWorld, world: World) -> tuple[dict[str, Items], dict[str, Items]]:
    """The memories of both spaces with captions of their own, and the texts that both spaces have; no pair."""
    image, audio = world.left["image"], world.right["audio"]
    shared = world.left["text"].ids
    return (
        {"image": picture_items(digits, image), "text": text_items(digits.image_space, shared + image.ids)},
        {"audio": utterance_items(digits, audio), "text": text_items(digits.audio_space, shared + audio.ids)},
    )


def labelled(digits: DigitsWorld, pictures: Sequence[str], utterances: Sequence[str]) -> dict[str, Labelled]:
    """Pictures, utterances, and the pictures' captions, with the truth about where each digit is."""
    captions = fine.captions_of(digits.image_space, pictures)
    return {
        "image": Labelled(fine.picture_tokens(digits, pictures), fine.picture_regions(digits, pictures)),
        "audio": Labelled(fine.utterance_tokens(digits, utterances), fine.utterance_regions(digits, utterances)),
        "text": Labelled(fine.text_tokens(digits.image_space, pictures, captions), fine.text_regions(captions)),
    }


def taught_items(digits: DigitsWorld, world: World) -> dict[str, Labelled]:
    """Training items whose truth heads may see."""
    return labelled(digits, world.left["image"].ids[:TAUGHT], world.right["audio"].ids[:TAUGHT])


def asked_galleries(digits: DigitsWorld, world: World) -> Mapping[str, Mapping[str, Labelled]]:
    """The galleries on which all is measured: seen voices, and the unseen one."""
    galleries = {name: world.galleries[name] for name in ("seen", "unseen")}
    return {name: labelled(digits, own.left.ids, own.right.ids) for name, own in galleries.items()}
