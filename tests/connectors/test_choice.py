"""How `auto` chooses and what the report concludes, on worlds their coefficients were not fitted to."""

from dataclasses import replace

import numpy as np
import pytest

import isthmus
from isthmus.connectors.trust.estimate import band_from_criteria, band_from_neighbours
from isthmus.connectors.trust.report import ConnectorReport, Coverage
from isthmus.connectors.trust.verdict import verdict, why_no_estimate
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


def report(**changes: object) -> ConnectorReport:
    good = ConnectorReport(
        held_out=400,
        overlap_mrr=0.9,
        overlap_r1=0.85,
        chance_mrr=0.016,
        gaps=(),
        coverage=(Coverage("audio", 5000, 0.6, 20.0),),
        hubness=0.5,
        criteria={},
        bands=(replace(band_from_neighbours(0.9, 500, 500), middle=0.9),),
        verdict=(),
    )
    return replace(good, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "likely good"),
        ({"coverage": (Coverage("audio", 500, 0.1, 20.0),)}, "The audio memory does not cover the overlap"),
        ({"overlap_mrr": 0.02}, "no better than by chance"),
        ({"held_out": 9, "chance_mrr": 0.31}, "Only 9 overlap rows"),
        ({"held_out": 2, "chance_mrr": 0.75, "overlap_mrr": 1.0, "overlap_r1": 1.0}, "too few to tell"),
        ({"held_out": 4, "chance_mrr": 0.52, "overlap_mrr": 0.5}, "too few to tell"),
        ({"held_out": 20, "chance_mrr": 0.18, "overlap_mrr": 0.35}, "too few to tell"),
        ({"held_out": 20, "chance_mrr": 0.18, "overlap_mrr": 0.2}, "no better than by chance"),
        ({"bands": (replace(band_from_neighbours(0.1, 500, 500), middle=0.1),)}, "likely poor"),
        ({"bands": (replace(band_from_neighbours(0.1, 500, 500), middle=0.3),)}, "likely fair"),
    ],
)
def test_the_verdict_says_what_the_figures_mean(changes: dict, said: str) -> None:
    assert said in " ".join(verdict(report(**changes)))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((50,), "a space has no memory: add one"),
        ((50, 5000), "the image memory has 50 items, 200 a side are needed: add more"),
        ((50, 60), "the image memory has 50 items and the audio memory has 60 items, 200 a side are needed: add more"),
    ],
)
def test_the_report_says_once_why_there_is_no_estimate(rows: tuple[int, ...], why: str) -> None:
    memories = tuple(Coverage(name, own, 0.6, 20.0) for name, own in zip(("image", "audio"), rows, strict=False))
    without = report(coverage=memories, bands=())
    assert why_no_estimate(without, {}) == why
    lines = replace(without, no_estimate=why, verdict=verdict(without)).lines()
    assert [line for line in lines if "estimate" in line or "add" in line] == [f"no estimate: {why}"]


@pytest.mark.parametrize("held", range(1, 60))
def test_no_perfect_order_is_called_chance(held: int) -> None:
    """Whatever the number of held-out rows, and with one counterpart missed among them."""
    chance = float(np.mean(1 / np.arange(1, held + 1)))
    for missed in (0, 1):
        mrr = (held - missed / 2) / held
        found = " ".join(verdict(report(held_out=held, chance_mrr=chance, overlap_mrr=mrr, bands=())))
        assert "no better than by chance" not in found or mrr < chance
