"""A killed run continues bit-exactly, two processes train as one, and the schedule is the paper's."""

import json
import math
import subprocess
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

import fit_small
from isthmus.base.errors import IsthmusError
from isthmus.base.options import make_config
from isthmus.connectors.config import AutoConfig, CmcrConfig, ExmcrConfig
from isthmus.connectors.methods.cmcr import CmcrObjective, fit_cmcr
from isthmus.connectors.methods.plugins import plugged_projector
from isthmus.training import loop
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.config import OptimisationConfig
from isthmus.training.loop import half_precision, train
from isthmus.training.processes import SharedBatchNorm
from isthmus.training.schedule import Schedule
from two_views import DrawTwoViews
from warm_processes import CONTEXT

FEW_STEPS = CmcrConfig(optimisation=OptimisationConfig(epochs=1, min_steps=8, batch_size=32))


def started(*arguments: object) -> ForkServerProcess:
    process = CONTEXT.Process(target=fit_small.fit_alone, args=arguments)
    process.start()
    return process


def finish(process: ForkServerProcess) -> None:
    process.join(120)
    assert process.exitcode == 0


def steps_saved(checkpoint: Path) -> int:
    with safe_open(checkpoint, framework="pt") as file:
        return json.loads(file.metadata()["isthmus"])["step"]


@pytest.mark.slow
def test_a_run_killed_in_the_middle_continues_bit_exactly(tmp_path: Path) -> None:
    steps, checkpoint = 80, tmp_path / "run.safetensors"
    uninterrupted = started(steps, tmp_path / "uninterrupted")
    killed = started(steps, tmp_path / "continued", checkpoint)
    while not (checkpoint.exists() and steps_saved(checkpoint) > 5):
        assert killed.is_alive()
        time.sleep(0.001)
    killed.kill()
    killed.join()
    assert 5 < steps_saved(checkpoint) < steps
    assert not (tmp_path / "continued").exists()

    finish(started(steps, tmp_path / "continued", checkpoint))
    finish(uninterrupted)
    expected, found = load_file(tmp_path / "uninterrupted"), load_file(tmp_path / "continued")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run([*torchrun, fit_small.__file__, "10", tmp_path / "together"], check=True, capture_output=True)
    fit_small.fit(10, tmp_path / "alone")
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
    with pytest.raises(IsthmusError, match=r"run: cannot be read .*: delete this checkpoint"):
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


class Poisoned(nn.Module):
    """An objective whose loss, gradient or buffer is not finite from the third step on."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where, self.steps, self.weight = where, 0, nn.Parameter(torch.ones(2))
        self.register_buffer("statistics", torch.ones(1))

    def forward(self, rows: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        self.steps += 1
        if self.steps < 3:
            return self.weight.square().sum()
        if self.where == "buffer":
            self.statistics.fill_(float("inf"))
        if self.where == "gradient":
            return (self.weight * 0).sum().abs().sqrt()
        return self.weight.sum() * (float("nan") if self.where == "loss" else 1.0)


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("loss", "the loss is nan at step 3: lower the learning rate"),
        ("gradient", "the gradient is not finite at step 3: lower the learning rate"),
        ("buffer", "statistics is not finite after step 3: lower the learning rate"),
    ],
)
def test_what_is_not_finite_stops_training_and_is_not_saved(
    where: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    objective, checkpoint = Poisoned(where), Checkpoint(tmp_path / "run", "same")
    with pytest.raises(IsthmusError, match=problem):
        train(objective, Schedule.over(8, OptimisationConfig(epochs=1, min_steps=9), seed=0), checkpoint=checkpoint)
    assert steps_saved(tmp_path / "run") == 2


def test_a_plug_in_batch_norm_is_one_with_shared_statistics() -> None:
    def build(inputs: int, outputs: int, draw: torch.Generator) -> nn.Sequential:
        norm = nn.BatchNorm1d(5, eps=0.1, momentum=0.3)
        return nn.Sequential(nn.Linear(inputs, 5), norm.requires_grad_(False), nn.ReLU(), nn.Linear(5, outputs))

    norm = plugged_projector(build, 3, 2, torch.Generator())[1]
    assert isinstance(norm, SharedBatchNorm)
    assert (norm.eps, norm.momentum, norm.weight.requires_grad) == (0.1, 0.3, False)


def test_precision_is_an_option_of_every_trained_method_and_auto_is_float32_on_a_cpu() -> None:
    optimisation = OptimisationConfig(precision="bfloat16")
    for config in (CmcrConfig(optimisation=optimisation), ExmcrConfig(optimisation=optimisation)):
        assert config.optimisation.precision == "bfloat16"
    assert AutoConfig(precision="float32").precision == "float32"
    cpu = torch.device("cpu")
    assert [half_precision(precision, cpu) for precision in ("auto", "float32", "bfloat16")] == [False, False, True]
    with pytest.raises(IsthmusError, match="--precision must be one of auto, float32, bfloat16, got 'float16'"):
        make_config(OptimisationConfig, {"precision": "float16"})
