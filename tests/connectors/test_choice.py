"""The bands of the report, on worlds their coefficients were not fitted to."""

import numpy as np
import pytest

import isthmus
from isthmus.connectors.trust.estimate import band_from_criteria, band_from_neighbours
from isthmus.worlds.digits.digits_world import DigitsWorld, Sizes
from isthmus.worlds.world import World


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


CRITERIA = {"shown_twins": 0.5, "overlap_twins": 0.8, "mutual_neighbours": 0.3}


@pytest.mark.parametrize("name", ["shown_twins", "mutual_neighbours"])
def test_the_band_rises_with_each_criterion(name: str) -> None:
    low, high = (band_from_criteria({**CRITERIA, name: value}) for value in (0.1, 0.45))
    assert low.low < low.middle < low.high
    assert low.middle < high.middle


def test_the_band_rises_with_mutual_neighbours_and_names_its_gallery() -> None:
    bands = [band_from_neighbours(rate, 500, 500) for rate in (0.05, 0.3, 0.9)]
    assert [band.middle for band in bands] == sorted(band.middle for band in bands)
    assert {band.gallery for band in bands} == {500}
