"""A small draw of the default digits world."""

import pytest

from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes, World


@pytest.fixture(scope="session")
def world(digits: DigitsWorld) -> World:
    return digits.world("test", Sizes(texts=300, memory=200, pairs=100, gallery=120))
