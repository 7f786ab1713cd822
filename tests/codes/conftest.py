"""A small digits world with tokens: pairs to train codes on, two sides without pairs, and galleries to test on."""

from collections.abc import Mapping

import pytest

from isthmus.codes.learning.pairs import CodeItems
from isthmus.demo import code_data as codes_of
from isthmus.demo.digits import DigitsDemo
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes, World

ITEMS, GALLERY = 600, 120


@pytest.fixture(scope="session")
def world(digits: DigitsWorld) -> World:
    return digits.world("test", Sizes(texts=ITEMS, memory=ITEMS, pairs=ITEMS, gallery=GALLERY))


@pytest.fixture(scope="session")
def pairs(digits: DigitsWorld, world: World) -> Mapping[str, CodeItems]:
    """Image, audio and text of the same sequences, row by row."""
    return codes_of.true_pairs(DigitsDemo(digits), world).items


@pytest.fixture(scope="session")
def sides(digits: DigitsWorld, world: World) -> tuple[dict[str, CodeItems], dict[str, CodeItems]]:
    """Two spaces without a pair: items with their own captions, and texts that both sides have."""
    return codes_of.unpaired_sides(DigitsDemo(digits), world)


@pytest.fixture(scope="session")
def labelled(digits: DigitsWorld, world: World) -> dict[str, LabelledTokens]:
    return codes_of.labelled_training(DigitsDemo(digits), world)


@pytest.fixture(scope="session")
def galleries(digits: DigitsWorld, world: World) -> Mapping[str, Mapping[str, LabelledTokens]]:
    return codes_of.labelled_galleries(DigitsDemo(digits), world)
