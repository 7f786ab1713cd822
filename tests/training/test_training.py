"""A killed run continues bit-exactly, two processes train as one, and the schedule is the paper's."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from isthmus.base.errors import IsthmusError
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.methods.cmcr import CmcrObjective, fit_cmcr
from isthmus.training.config import OptimisationConfig
from isthmus.training.schedule import Schedule
from two_views import DrawTwoViews

FIT_SMALL = Path(__file__).parents[1] / "fit_small.py"
FEW_STEPS = CmcrConfig(optimisation=OptimisationConfig(epochs=1, min_steps=8, batch_size=32))


def start(*arguments: object, launcher: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    command = [sys.executable, *launcher, str(FIT_SMALL), *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def steps_saved(checkpoint: Path) -> int:
    with safe_open(checkpoint, framework="pt") as file:
        return json.loads(file.metadata()["isthmus"])["step"]


@pytest.mark.slow
def test_a_run_killed_in_the_middle_continues_bit_exactly(tmp_path: Path) -> None:
    steps, checkpoint = 300, tmp_path / "run.safetensors"
    uninterrupted = start(steps, tmp_path / "uninterrupted")
    killed = start(steps, tmp_path / "continued", checkpoint)
    while not (checkpoint.exists() and steps_saved(checkpoint) > 20):
        assert killed.poll() is None, killed.communicate()[1].decode()
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert 20 < steps_saved(checkpoint) < steps
    assert not (tmp_path / "continued").exists()

    finish(start(steps, tmp_path / "continued", checkpoint))
    finish(uninterrupted)
    expected, found = load_file(tmp_path / "uninterrupted"), load_file(tmp_path / "continued")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    alone, together = start(10, tmp_path / "alone"), start(10, tmp_path / "together", launcher=torchrun)
    finish(alone)
    finish(together)
    expected, found = load_file(tmp_path / "alone"), load_file(tmp_path / "together")
    # A bias before a BatchNorm has no true gradient: AdamW turns its rounding noise into steps, without effect.
    weights = [name for name in expected if name.endswith("weight")]
    for name in weights:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-6)


def test_a_finished_run_is_not_trained_again(
    draw_two_views: DrawTwoViews, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    materials = draw_two_views(texts=100, memory=80).materials
    first = fit_cmcr(materials, FEW_STEPS, seed=0, checkpoint=tmp_path / "run")
    monkeypatch.setattr(CmcrObjective, "forward", None)
    again = fit_cmcr(materials, FEW_STEPS, seed=0, checkpoint=tmp_path / "run")
    expected, found = first.left.projector.state_dict(), again.left.projector.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_checkpoint_of_another_run_is_refused(draw_two_views: DrawTwoViews, tmp_path: Path) -> None:
    materials = draw_two_views(texts=100, memory=80).materials
    fit_cmcr(materials, FEW_STEPS, seed=0, checkpoint=tmp_path / "run")
    with pytest.raises(IsthmusError, match=r"run: checkpoint of another run .*delete it"):
        fit_cmcr(materials, FEW_STEPS, seed=1, checkpoint=tmp_path / "run")
    other = draw_two_views(seed=1, texts=100, memory=80).materials
    with pytest.raises(IsthmusError, match="checkpoint of another run"):
        fit_cmcr(other, FEW_STEPS, seed=0, checkpoint=tmp_path / "run")


@pytest.mark.parametrize("damage", ["cut short", "not ours"])
def test_a_damaged_checkpoint_is_named(draw_two_views: DrawTwoViews, tmp_path: Path, damage: str) -> None:
    materials = draw_two_views(texts=100, memory=80).materials
    path = tmp_path / "run"
    fit_cmcr(materials, FEW_STEPS, seed=0, checkpoint=path)
    path.write_bytes(path.read_bytes()[:500] if damage == "cut short" else b"hello")
    with pytest.raises(IsthmusError, match="run: damaged checkpoint"):
        fit_cmcr(materials, FEW_STEPS, seed=0, checkpoint=path)


def test_an_epoch_visits_every_row_at_most_once_and_epochs_differ() -> None:
    schedule = Schedule.over(1000, OptimisationConfig(batch_size=96), seed=5)
    assert schedule.steps == 600
    assert [schedule.place_of(step) for step in (0, 9, 10)] == [(0, 0), (0, 864), (1, 0)]
    first, second = schedule.permutation(0), schedule.permutation(1)
    assert sorted(first.tolist()) == list(range(1000))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("rows", "batch", "steps"), [(2_300_000, 4096, 36 * 561), (12_000, 512, 36 * 23), (800, 64, 600), (40, 40, 600)]
)
def test_the_batch_is_the_papers_for_large_sets_and_smaller_for_small_ones(rows: int, batch: int, steps: int) -> None:
    schedule = Schedule.over(rows, OptimisationConfig(), seed=0)
    assert (schedule.batch_size, schedule.steps) == (batch, steps)


def test_the_learning_rate_falls_as_a_cosine() -> None:
    schedule = Schedule.over(100, OptimisationConfig(min_steps=1000, epochs=1), seed=0)
    assert schedule.learning_rate_at(0) == 1e-3
    assert schedule.learning_rate_at(500) == pytest.approx(0.5e-3)
    assert schedule.learning_rate_at(250) == pytest.approx(1e-3 * math.cos(math.pi / 8) ** 2)
    assert schedule.learning_rate_at(1000) == pytest.approx(0)
