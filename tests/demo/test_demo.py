"""Stages of the demo: a second run reuses them, an interrupted one continues; progress; own recordings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from short_runs import CLOSED_FORMS, run_on, small_world

from isthmus.base.progress import Progress
from isthmus.connectors.config import MethodConfig
from isthmus.connectors.connect import ConnectInput
from isthmus.connectors.connector import Connector
from isthmus.demo import connector_stages, methods
from isthmus.demo.digits import recordings_of
from isthmus.demo.stages import StageProgress, Stages
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import World


def test_a_second_run_reuses_finished_stages(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_on(world, CLOSED_FORMS, tmp_path)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a finished stage was computed again")

    monkeypatch.setattr(connector_stages, "connect_prepared", refuse)
    monkeypatch.setattr(connector_stages, "fit_oracle", refuse)
    second = run_on(world, CLOSED_FORMS, tmp_path)
    timed = ("time.total_s", "time.world_s", "memory.")
    assert {name: value for name, value in second.summary.items() if not name.startswith(timed)} == {
        name: value for name, value in first.summary.items() if not name.startswith(timed)
    }


def test_after_an_interruption_only_unfinished_stages_are_computed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, computed = connector_stages.connect_prepared, []

    def interrupted(prepared: ConnectInput, method: MethodConfig, *rest: Any) -> Connector:
        computed.append(type(method).__name__)
        if len(computed) == 2:
            raise KeyboardInterrupt
        return connect(prepared, method, *rest)

    monkeypatch.setattr(connector_stages, "connect_prepared", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_on(world, CLOSED_FORMS, tmp_path)
    assert not (tmp_path / "summary.json").exists()
    run_on(world, CLOSED_FORMS, tmp_path)
    assert computed == ["ProcrustesConfig", "CcaConfig", "CcaConfig"]


def test_the_raw_baseline_compares_two_spaces_of_equal_dimension(tmp_path: Path) -> None:
    """The digits world has two spaces of 128 dimensions with different names; matchers refuse to mix such spaces."""
    small = small_world(dims=(8, 8))
    stages = connector_stages.ConnectorStages(small, Stages(tmp_path, "world"), seed=0)
    figures = stages.method("raw", methods.METHODS["raw"])["galleries"]
    for name, gallery in small.galleries.items():
        left, right = (
            own.vectors / np.linalg.norm(own.vectors, axis=1, keepdims=True) for own in (gallery.left, gallery.right)
        )
        scores = left @ right.T
        first = [np.mean(found == np.arange(30)) for found in (scores.argmax(1), scores.argmax(0))]
        assert figures[f"{name}.r1"] == pytest.approx(100 * np.mean(first))


def test_stages_and_the_training_inside_them_are_reported_together() -> None:
    reports: list[Progress] = []
    progress = StageProgress(reports.append, 2)
    progress.run("first", progress.training, Progress("training", 3, 10, 5.0, {"loss": 0.5}))
    assert progress.run("second", lambda value: value, 7) == 7
    assert [(now.stage, now.done, now.total) for now in reports] == [
        ("first", 0, 2), ("first, training", 3, 10), ("first", 1, 2), ("second", 1, 2), ("second", 2, 2),
    ]  # fmt: skip
    assert reports[1].values == {"loss": 0.5}


def test_own_images_are_combined_with_the_shipped_speech(digits: DigitsWorld, tmp_path: Path) -> None:
    own = digits.source.handwriting
    np.savez(tmp_path / "mine.npz", images=own.tiles[::2], labels=own.digit[::2])
    found = recordings_of(tmp_path / "mine.npz", None)
    assert found.name == "mine + scikit-learn digits + espeak-ng"
    np.testing.assert_array_equal(found.handwriting.tiles, own.tiles[::2])
    np.testing.assert_array_equal(found.speech.samples, digits.source.speech.samples)
    assert recordings_of(None, None).fingerprint == digits.source.fingerprint
