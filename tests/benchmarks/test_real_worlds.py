"""Worlds of real vectors: their metrics against loops and scikit-learn, and a figure of their own README."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import isthmus
from worlds.real import animals, miniclip


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    return shared_data / "real"


def test_miniclip_scores_the_share_within_ten_of_rows_that_did_not_connect(real: Path) -> None:
    world = miniclip(real, seed=1)
    shared = set(world.sides[0]["text"].ids)
    assert len(shared) == 800
    assert not shared & set(world.left.ids)
    cosines = np.random.default_rng(0).normal(size=(200, 200))
    within = [sorted(row, reverse=True).index(row[i]) < 10 for own in (cosines, cosines.T) for i, row in enumerate(own)]
    assert world.score(cosines) == pytest.approx(100 * np.mean(within))


def test_animals_score_mean_average_precision_over_classes(real: Path) -> None:
    world = animals(real, seed=0)
    cosines = np.random.default_rng(0).normal(size=world.relevant.shape)
    precision = np.array([average_precision_score(*pair) for pair in zip(world.relevant.T, cosines.T, strict=True)])
    assert world.classes is not None
    expected = np.mean([precision[world.classes == name].mean() for name in sorted(set(world.classes))])
    assert world.score(cosines) == pytest.approx(100 * expected)


def test_closed_forms_on_the_names_alone_reach_what_is_known_of_them(real: Path) -> None:
    world = animals(real, seed=0)
    connector = isthmus.connect(*world.sides, method="procrustes", centring="mean")
    assert 56 <= world.score(connector.project(world.left).vectors @ connector.project(world.right).vectors.T) <= 58
