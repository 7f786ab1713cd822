"""Curves hold exactly the reports that a callable gets, continue over a resumed run, and can be combined."""

import builtins
import csv
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import Progress
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.training import loop
from isthmus.training.config import OptimisationConfig
from isthmus.training.curves import CsvCurve, TensorBoardCurve, report_to
from two_views import DrawTwoViews


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_both_curves_hold_the_reports_of_a_callable(
    draw_two_views: DrawTwoViews, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)
    few = CmcrConfig(optimisation=OptimisationConfig(epochs=1, min_steps=6))
    seen: list[Progress] = []
    curves = report_to(seen.append, CsvCurve(tmp_path / "loss.csv"), TensorBoardCurve(tmp_path / "run"))
    fit_cmcr(draw_two_views(texts=100, memory=80).materials, few, seed=0, progress=curves)

    assert [now.done for now in seen] == [1, 2, 3, 4, 5, 6]
    rows = rows_of(tmp_path / "loss.csv")
    assert [(int(row["done"]), float(row["loss"]), float(row["rate"])) for row in rows] == [
        (now.done, now.values["loss"], now.rate) for now in seen
    ]
    assert {(row["stage"], row["total"]) for row in rows} == {("training", "6")}
    events = accumulator.EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    points = [(event.step, event.value) for event in events.Scalars("training/loss")]
    assert points == [(now.done, pytest.approx(now.values["loss"])) for now in seen]


def test_a_value_that_comes_later_gets_a_column_and_keeps_the_rows(tmp_path: Path) -> None:
    curve = CsvCurve(tmp_path / "new" / "curve.csv")
    first = Progress("training", 1, None, 2.0, {"loss": 0.5})
    curve(first)
    curve(replace(first, done=2, values={"loss": 0.4, "gap": 1.5}))
    curve(replace(first, done=3, values={"gap": 1.25}))
    rows = rows_of(curve.path)
    assert [(row["done"], row["total"], row["loss"], row["gap"]) for row in rows] == [
        ("1", "", "0.5", ""), ("2", "", "0.4", "1.5"), ("3", "", "", "1.25")
    ]  # fmt: skip


def test_a_resumed_run_adds_to_its_curve(tmp_path: Path) -> None:
    for done in (1, 2):
        CsvCurve(tmp_path / "curve.csv")(Progress("training", done, 2, 1.0, {"loss": 0.5}))
    assert [row["done"] for row in rows_of(tmp_path / "curve.csv")] == ["1", "2"]


def test_without_tensorboard_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def fake(name: str, *arguments: object, **options: object) -> object:
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", fake)
    with pytest.raises(IsthmusError, match=r"pip install 'isthmus\[tensorboard\]'"):
        TensorBoardCurve(tmp_path)
