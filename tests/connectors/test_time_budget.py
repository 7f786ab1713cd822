"""`auto` leaves out the trained member if it would not be trained within the time budget, and says so."""

import time

import numpy as np
import pytest

import isthmus
from isthmus import IsthmusError
from isthmus.base.progress import Progress
from isthmus.connectors.choosing.budget import Budget, OverBudgetError
from isthmus.worlds.world import World
from worlds.synthetic import SyntheticRecipe, synthetic_world


def reports(rate: float, total: int) -> list[Progress]:
    return [Progress("training", done, total, rate, {}) for done in (1, 10, 20)]


def test_training_is_stopped_once_its_rate_tells_that_it_would_not_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 11.0, 14.0])
    monkeypatch.setattr("isthmus.connectors.choosing.budget.time.monotonic", lambda: next(clock))
    seen: list[Progress] = []
    watch = Budget(60.0, started=0.0).watching(seen.append)
    slow = reports(rate=10.0, total=1000)
    watch(slow[0])  # after one second nothing is known yet
    with pytest.raises(OverBudgetError, match="would take 103 s, and 50 s were left of the --time-budget of 60"):
        watch(slow[1])
    assert seen == slow[:2]


def test_training_that_ends_in_time_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 11.0, 14.0, 15.0])
    monkeypatch.setattr("isthmus.connectors.choosing.budget.time.monotonic", lambda: next(clock))
    watch = Budget(60.0, started=0.0).watching(lambda now: None)
    for now in reports(rate=50.0, total=1000):
        watch(now)


def test_nothing_is_trained_if_the_closed_forms_took_all_the_time() -> None:
    with pytest.raises(OverBudgetError, match="no time to train: the closed forms took the --time-budget of 1 s"):
        Budget(1.0, started=time.monotonic() - 2).watching(lambda now: None)


@pytest.fixture(scope="module")
def many_texts() -> World:
    return synthetic_world("many", SyntheticRecipe(texts=2600, memory=300, gallery=50), seed=1)


@pytest.mark.slow
def test_the_connector_says_that_its_trained_member_was_left_out_and_is_the_closed_forms(
    many_texts: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stages: list[str] = []
    sides = many_texts.left, many_texts.right
    short = isthmus.connect(*sides, time_budget=1e-3, progress=lambda now: stages.append(now.stage))
    closed = isthmus.connect(*sides, trained_share=0.0)
    trained = short.choice["tried"]["trained"]
    assert trained["share"] == 0.0
    assert trained["left_out"].startswith("no time to train")
    assert f"auto: no trained member, {trained['left_out']}" in caplog.messages
    assert "training" not in stages
    items = many_texts.left["image"]
    np.testing.assert_array_equal(short.project(items).vectors, closed.project(items).vectors)


@pytest.mark.slow
def test_processes_that_train_together_have_no_budget(many_texts: World, monkeypatch: pytest.MonkeyPatch) -> None:
    joined: list[bool] = []

    def trained(*_: object, **__: object) -> None:
        raise InterruptedError

    place = "isthmus.connectors.connect"
    monkeypatch.setattr(f"{place}.join_processes", lambda: joined.append(True))
    monkeypatch.setattr(f"{place}.processes", lambda: 1 + len(joined))
    monkeypatch.setattr(f"{place}.train_cmcr", trained)
    with pytest.raises(InterruptedError):
        isthmus.connect(many_texts.left, many_texts.right, time_budget=1e-3)


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(IsthmusError, match=r"--time-budget must be above 0, got 0\.0"):
        isthmus.AutoConfig(time_budget=0.0)
