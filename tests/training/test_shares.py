"""Three gloo processes train as one, however rows divide: C-MCR, Ex-MCR, plug-ins and codes, in float32 and under
autocast; a failure in one of them ends all with a line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.model.config import CodesConfig
from isthmus.connectors.config import CmcrConfig, ExmcrConfig
from isthmus.connectors.member import Member
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.connectors.methods.exmcr import fit_exmcr
from isthmus.connectors.methods.plugins import Plugins
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.config import OptimisationConfig, Precision
from isthmus.training.loop import train
from isthmus.training.processes import my_rows, processes, this_process
from isthmus.training.schedule import Schedule
from two_views import draw_materials
from warm_processes import run_together

pytestmark = pytest.mark.slow
PROCESSES, STEPS = 3, 3


def steps(batch: int, precision: Precision = "float32") -> OptimisationConfig:
    return OptimisationConfig(epochs=1, min_steps=STEPS, batch_size=batch, precision=precision)


def plain_norms(inputs: int, outputs: int, draw: torch.Generator) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 12), nn.BatchNorm1d(12, momentum=None), nn.ReLU(), nn.Linear(12, outputs))


def weights(member: Member) -> torch.Tensor:
    """The weights of both heads. A bias before a BatchNorm has no true gradient: AdamW turns its rounding noise into
    steps, without effect."""
    layers = [layer for head in (member.left, member.right) for layer in head.projector if isinstance(layer, nn.Linear)]
    return torch.cat([layer.weight.flatten() for layer in layers])


def cmcr(batch: int, precision: Precision = "float32", plugins: Plugins = Plugins(), **options: str) -> torch.Tensor:  # noqa: B008
    config = CmcrConfig(**{"projector": "clap-clip", **options}, optimisation=steps(batch, precision))
    return weights(fit_cmcr(draw_materials(texts=60, memory=40), config, seed=1, device="cpu", plugins=plugins))


def exmcr(batch: int, precision: Precision = "float32") -> torch.Tensor:
    config = ExmcrConfig(projector="two-mlps", optimisation=steps(batch, precision))
    return weights(fit_exmcr(draw_materials(texts=60, memory=40), config, seed=1, device="cpu"))


def drawn_items(modality: str, seed: int, items: int = 41) -> CodeItems:
    draw = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(draw.integers(1, 7, items))])
    vectors = draw.standard_normal((offsets[-1], 12)).astype(np.float32)
    places = np.tile(np.array([[0, 1]], np.float32), (offsets[-1], 1))
    ids = [f"{modality} {row}" for row in range(items)]
    tokens = Tokens.from_arrays(
        vectors, offsets, places, modality=modality, space=f"{modality}s", unit="seconds", ids=ids
    )
    pooled = draw.standard_normal((items, 10)).astype(np.float32)
    return CodeItems(tokens, Embeddings.from_array(pooled, modality=modality, space=f"{modality}s", ids=ids))


def codes(batch: int, precision: Precision = "float32", restarts: int = 1) -> torch.Tensor:
    """Sources of 41 pairs, of 2 and of 1: fewer than processes. Three of the 41 share an item."""
    items = {name: drawn_items(name, seed) for seed, name in enumerate(("image", "audio", "text"))}
    rows = np.arange(41)
    several = np.concatenate([rows[:38], [0, 0, 3]])
    sources = [
        PairSource("image", "audio", rows, several),
        PairSource("audio", "text", rows[:2], rows[:2]),
        PairSource("image", "text", rows[:1], rows[:1]),
    ]
    config = CodesConfig(codes=6, code_dim=8, restarts=restarts, optimisation=steps(batch, precision))
    model = fit_codes(items, sources, config, device="cpu")
    state = model.state_dict().items()
    return torch.cat([own.flatten() for name, own in state if not name.endswith(("head.linear.bias", "running_mean"))])


RUNS: dict[str, Callable[[], torch.Tensor]] = {
    "cmcr, uneven batch": lambda: cmcr(31),
    "cmcr, fewer rows than processes": lambda: cmcr(2, contrast="siglip"),
    "cmcr, last layer relu": lambda: cmcr(16, projector="ulip-clip", intra="plain"),
    "exmcr, uneven batch": lambda: exmcr(32),
    "plug-in with plain norms": lambda: cmcr(31, plugins=Plugins(projector=plain_norms)),
    "codes, uneven sources": lambda: codes(16, restarts=2),
    "codes, batch of 2": lambda: codes(2),
}
HALF_RUNS: dict[str, Callable[[Precision], torch.Tensor]] = {
    "cmcr": lambda precision: cmcr(31, precision),
    "exmcr": lambda precision: exmcr(31, precision),
    "codes": lambda precision: codes(16, precision),
}


class Failing(nn.Module):
    """An objective whose loss is not finite, or that raises in one process only."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.weight = how, nn.Parameter(torch.ones(2))

    def forward(self, rows: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        last = this_process() == processes() - 1
        if self.how == "raises" and last:
            raise IsthmusError("the last process found no row")
        return self.weight.sum() * (float("nan") if self.how == "nan" and last else 1.0)


class FullDisk(Checkpoint):
    """A checkpoint that cannot be written; only process 0 writes."""

    def restore(self, *_: object) -> int:
        return 0

    def save(self, *_: object) -> None:
        raise IsthmusError("the disk is full")


def failure(how: str) -> str:
    rows = 40 + (this_process() if how == "other data" else 0)
    checkpoint = FullDisk(Path(), "") if how == "full disk" else None
    try:
        train(Failing(how), Schedule.over(rows, steps(4), seed=0), checkpoint=checkpoint)
    except IsthmusError as error:
        return str(error)
    return "no error"


def together(run: Callable[[], object], process: int, meet: str) -> object:
    dist.init_process_group("gloo", init_method=f"file://{meet}", rank=process, world_size=PROCESSES)
    found = run()
    if dist.is_initialized():
        dist.destroy_process_group()
    return found


def one_of_three(process: int, folder: str) -> None:
    torch.set_num_threads(1)

    def every_run() -> dict[str, torch.Tensor]:
        found = {name: run() for name, run in RUNS.items()}
        return found | {f"half {name}": run("bfloat16") for name, run in HALF_RUNS.items()}

    found: dict[str, object] = {"runs": together(every_run, process, f"{folder}/meet")}
    for how in ("nan", "raises", "full disk", "other data"):
        found[how] = together(lambda how=how: failure(how), process, f"{folder}/meet {how}")
    torch.save(found, Path(folder) / f"{process}.pt")


@pytest.fixture(scope="module")
def over_processes(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder = tmp_path_factory.mktemp("gloo")
    run_together(one_of_three, (str(folder),), PROCESSES)
    return [torch.load(folder / f"{process}.pt", weights_only=True) for process in range(PROCESSES)]


@pytest.mark.parametrize("name", RUNS)
def test_processes_train_as_one(over_processes: list[dict], name: str) -> None:
    first, *others = (found["runs"][name] for found in over_processes)
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=0)
    torch.testing.assert_close(first, RUNS[name](), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", HALF_RUNS)
def test_under_autocast_they_differ_less_than_half_precision_from_float32(
    over_processes: list[dict], name: str
) -> None:
    first, *others = (found["runs"][f"half {name}"] for found in over_processes)
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=0)
    alone, full = HALF_RUNS[name]("bfloat16"), HALF_RUNS[name]("float32")
    rounding = (alone - full).norm()
    assert 0 < rounding < 0.05 * full.norm()
    assert (first - alone).norm() <= rounding


def test_a_loss_that_is_not_finite_ends_all_processes_with_one_line(over_processes: list[dict]) -> None:
    assert {found["nan"] for found in over_processes} == {
        "the loss is nan at step 1: lower the learning rate or raise the temperature"
    }


def test_a_failure_in_one_process_ends_the_others_too(over_processes: list[dict]) -> None:
    *others, failed = (found["raises"] for found in over_processes)
    assert failed == "the last process found no row"
    assert all("another one ended or does not answer" in other for other in others)


def test_a_checkpoint_that_cannot_be_written_ends_the_others_too(over_processes: list[dict]) -> None:
    failed, *others = (found["full disk"] for found in over_processes)
    assert failed == "the disk is full"
    assert all("another one ended or does not answer" in other for other in others)


def test_processes_with_other_data_are_refused(over_processes: list[dict]) -> None:
    for found in over_processes:
        assert found["other data"].startswith("process 0 has schedule Schedule(rows=40,")
        assert "process 1 has Schedule(rows=41," in found["other data"]


@pytest.mark.parametrize("batch", [0, 1, 2, 3, 16, 31])
def test_shares_cut_a_batch_without_gap(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr("isthmus.training.processes.processes", lambda: PROCESSES)
    rows, sizes = list(range(batch)), []
    found = []
    for process in range(PROCESSES):
        monkeypatch.setattr("isthmus.training.processes.this_process", lambda process=process: process)
        found += rows[my_rows(batch)]
        sizes.append(len(rows[my_rows(batch)]))
    assert found == rows
    assert max(sizes) - min(sizes) <= 1
