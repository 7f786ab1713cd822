"""Bootstrap intervals against a loop that draws one query after another, and against the normal mean."""

from statistics import NormalDist

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.metrics import bootstrap, bootstrap_intervals


def looped(scores: list[float], groups: list[int], level: float, resamples: int, seed: int) -> tuple[float, float]:
    """Draw a group, then the next; average the scores of all their queries; read the quantiles off the sorted means."""
    draw = np.random.default_rng(seed)
    names = sorted(set(groups))
    means = []
    for _ in range(resamples):
        drawn = [names[place] for place in draw.integers(len(names), size=len(names))]
        taken = [score for name in drawn for score, own in zip(scores, groups, strict=True) if own == name]
        means.append(sum(taken) / len(taken))
    low, high = (np.percentile(means, 100 * share) for share in ((1 - level) / 2, (1 + level) / 2))
    return low, high


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("block_bytes", [1, 2**20])
def test_intervals_are_those_of_a_loop(grouped: bool, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "BLOCK_BYTES", block_bytes)
    draw = np.random.default_rng(1)
    scores = {"r1": draw.integers(0, 2, 30).astype(float), "rank": draw.integers(1, 90, 30).astype(float)}
    groups = draw.integers(0, 11, 30) if grouped else np.arange(30)
    found = bootstrap_intervals(scores, level=0.9, resamples=200, seed=7, groups=groups if grouped else None)
    for name, own in scores.items():
        low, high = looped(own.tolist(), groups.tolist(), 0.9, 200, 7)
        np.testing.assert_allclose((found[name].low, found[name].high), (low, high), rtol=1e-12)
        assert found[name].mean == pytest.approx(sum(own.tolist()) / 30)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_of_a_normal_mean_is_its_closed_form(level: float) -> None:
    scores = np.random.default_rng(0).normal(3, 2, 400)
    half = NormalDist().inv_cdf((1 + level) / 2) * scores.std() / 20
    found = bootstrap_intervals({"score": scores}, level=level, resamples=10_000)["score"]
    np.testing.assert_allclose((found.mean - found.low, found.high - found.mean), half, rtol=0.05)


def test_queries_of_one_group_count_as_one_observation() -> None:
    """Five equal scores per clip are worth one: the interval is √5 times as wide as for independent ones."""
    scores = np.repeat(np.random.default_rng(0).normal(size=200), 5)
    widths = []
    for groups in (None, [f"clip {place // 5}" for place in range(1000)]):
        own = bootstrap_intervals({"score": scores}, resamples=5000, groups=groups)["score"]
        widths.append(own.high - own.low)
    assert widths[1] / widths[0] == pytest.approx(5**0.5, rel=0.08)


@pytest.mark.parametrize(
    ("scores", "options", "says"),
    [
        ({}, {}, "at least one metric"),
        ({"r1": np.ones(1)}, {}, "1 query is too few"),
        ({"r1": np.ones(3)}, {"groups": ["a"] * 3}, "1 group of queries is too few"),
        ({"r1": np.ones(3)}, {"groups": ["a"]}, "1 groups for 3 queries"),
        ({"r1": np.ones(3), "mrr": np.ones(2)}, {}, r"'mrr' have shape \(2,\)"),
        ({"r1": np.array([1, np.nan])}, {}, "'r1' have 1 that are not finite"),
        ({"r1": np.ones(3)}, {"level": 95.0}, "level must be between 0 and 1, got 95"),
        ({"r1": np.ones(3)}, {"resamples": 0}, "resamples must be at least 1"),
    ],
)
def test_scores_without_an_interval_are_refused(scores: dict, options: dict, says: str) -> None:
    with pytest.raises(IsthmusError, match=says):
        bootstrap_intervals(scores, **options)
