"""The bands of the report, against closed forms and on worlds they were not calibrated on."""

from dataclasses import replace

import numpy as np
import pytest

import isthmus
from isthmus.connectors.choosing.chain import Chain
from isthmus.connectors.trust.estimate import band_from_chain, band_from_neighbours
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes, World


@pytest.fixture(scope="module")
def digits_world(digits: DigitsWorld) -> World:
    return digits.world("dev", Sizes(texts=700, memory=700, pairs=0, gallery=250))


def reciprocal_ranks(cosines: np.ndarray) -> float:
    """Mean reciprocal rank of row i among the columns, for column i."""
    own = np.diag(cosines)[:, None]
    return float((1 / (cosines >= own).sum(1)).mean())


@pytest.mark.slow
def test_auto_and_its_band_hold_on_digits(digits_world: World) -> None:
    connector = isthmus.connect(digits_world.left, digits_world.right)
    gallery = digits_world.galleries["seen"]
    left, right = connector.project(gallery.left), connector.project(gallery.right)
    among = np.random.default_rng(0).permutation(250)[:200]
    truth = reciprocal_ranks((left.vectors @ right.vectors.T)[np.ix_(among, among)])
    assert connector.report is not None
    (band,) = connector.report.bands
    assert band.low <= truth <= band.high
    informed = connector.estimate(left.take(among), right.take(among))
    assert informed.low <= truth <= informed.high


CHAIN = Chain(texts=0.9, one_item=0.7, items=0.5, unmatched=0.0)


def test_the_band_reaches_from_simulated_items_on_both_sides_to_one_side() -> None:
    band = band_from_chain(CHAIN, margins=(0.0, 0.0))
    assert (band.low, band.high) == (pytest.approx(0.5), pytest.approx(0.7))
    assert band.middle == pytest.approx(1 / (1 + ((1 - 0.5) / 0.5 * (1 - 0.7) / 0.7) ** 0.5))
    padded = band_from_chain(CHAIN)
    assert padded.low < band.low
    assert padded.high > band.high


def test_wrongly_matched_pairs_raise_the_upper_end_only() -> None:
    """If 40 % of pairs are ranked at random and the others come first, the MRR is .4 chance + .6."""
    chance = float(np.mean(1 / np.arange(1, 201)))
    band = band_from_chain(replace(CHAIN, one_item=0.4 * chance + 0.6 * 0.9, unmatched=0.4), margins=(0.0, 0.0))
    assert band.low == pytest.approx(0.5)
    assert band.high == pytest.approx(0.9)


@pytest.mark.parametrize("items", [0.0, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("one_item", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("unmatched", [0.0, 0.95, 1.0])
def test_ends_and_middle_are_always_in_order(items: float, one_item: float, unmatched: float) -> None:
    band = band_from_chain(Chain(texts=1.0, one_item=one_item, items=items, unmatched=unmatched))
    assert 0 <= band.low <= band.middle <= band.high <= 1


def test_the_band_rises_with_mutual_neighbours_and_names_its_gallery() -> None:
    bands = [band_from_neighbours(rate, 0.03, 500, 500) for rate in (0.05, 0.3, 0.9)]
    assert [band.middle for band in bands] == sorted(band.middle for band in bands)
    assert {band.gallery for band in bands} == {500}
