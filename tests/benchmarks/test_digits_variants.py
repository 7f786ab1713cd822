"""Digits worlds made harder: a modality gap of a chosen size, memories that show some digits only."""

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes, World
from worlds.gap import gap_offsets, with_gap
from worlds.narrow import narrow_world


@pytest.fixture(scope="module")
def plain(digits: DigitsWorld) -> World:
    return digits.world("test", Sizes(texts=300, memory=300, pairs=20, gallery=20))


@pytest.mark.parametrize("gap", [0.4, 0.8, 1.2])
def test_a_gap_separates_the_means_of_items_and_texts(plain: World, gap: float) -> None:
    moved = with_gap(plain, gap)
    for side, modality in ((moved.left, "image"), (moved.right, "audio")):
        distance = np.linalg.norm(side["text"].vectors.mean(0) - side[modality].vectors.mean(0))
        assert distance == pytest.approx(gap, abs=0.01)


def test_a_gap_moves_galleries_and_pairs_as_the_memory_determines(plain: World) -> None:
    moved = with_gap(plain, 0.8)
    _, offset = gap_offsets(plain.right["text"].vectors, plain.right["audio"].vectors, 0.8, "right")
    assert plain.pairs is not None
    assert moved.pairs is not None
    np.testing.assert_allclose(moved.pairs[1].vectors, offset(plain.pairs[1].vectors), atol=1e-6)
    for name, gallery in plain.galleries.items():
        np.testing.assert_allclose(moved.galleries[name].right.vectors, offset(gallery.right.vectors), atol=1e-6)
        assert moved.galleries[name].right.ids == gallery.right.ids


@pytest.mark.parametrize("gap", [0.0, 2.0])
def test_an_impossible_gap_is_refused(plain: World, gap: float) -> None:
    with pytest.raises(IsthmusError, match="give a distance"):
        with_gap(plain, gap)


def test_narrow_memories_show_only_the_given_digits(digits: DigitsWorld) -> None:
    sizes = Sizes(texts=10, memory=50, pairs=0, gallery=10)
    narrow = narrow_world(digits, "test", sizes, image_digits="01234", audio_digits="0123456789")
    assert set("".join(item.split(":")[0] for item in narrow.left["image"].ids)) == set("01234")
    assert narrow.right["audio"].ids == digits.world("test", sizes).right["audio"].ids


def test_a_memory_of_one_digit_is_refused(digits: DigitsWorld) -> None:
    sizes = Sizes(texts=10, memory=10, pairs=0, gallery=10)
    with pytest.raises(IsthmusError, match="image memory of digits '1': give two or more digits"):
        narrow_world(digits, "test", sizes, image_digits="1", audio_digits="01")
