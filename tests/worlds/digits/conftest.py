"""The default digits world, opened once."""

import pytest

from isthmus.worlds.digits.build import build
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.variant import Variant
from isthmus.worlds.world import World


@pytest.fixture(scope="session")
def digits() -> DigitsWorld:
    return build()


@pytest.fixture(scope="session")
def world(digits: DigitsWorld) -> World:
    return digits.world("test", Variant(texts=300, memory=200, pairs=100, gallery=120))
