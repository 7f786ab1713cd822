"""Losses and batch statistics of a batch spread over two gloo processes equal those of the batch in one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional

from isthmus.connectors.methods import losses
from isthmus.training.processes import SharedBatchNorm, mean_over_processes, my_share
from warm_processes import run_together

pytestmark = pytest.mark.slow
BATCH, DIM, TEMPERATURE = 12, 5, 0.1


def rows(seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, DIM, generator=draw, dtype=torch.float64)


def info_nce_of(compute: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda left, right: compute(left, right, TEMPERATURE)


def siglip_of(compute: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    bias = torch.tensor(-2.0, dtype=torch.float64)
    return lambda left, right: compute(left, right, TEMPERATURE, bias)


def loss_and_gradients(norm: nn.Module, loss: Callable[..., torch.Tensor], left: torch.Tensor) -> list[torch.Tensor]:
    """A loss after one shared batch normalisation: its value, and the gradients of weight and bias."""
    norm.zero_grad()
    right = my_share(rows(1))
    value = loss(functional.normalize(norm(left), dim=-1), functional.normalize(right, dim=-1))
    value.backward()
    gradients = [parameter.grad for parameter in norm.parameters()]
    return [mean_over_processes(tensor.detach()) for tensor in (value, *gradients)]


def figures(gathered: bool) -> dict[str, list[torch.Tensor]]:
    prefix = "gathered_" if gathered else ""
    kinds = {"info_nce": info_nce_of, "siglip": siglip_of}
    found = {}
    for name, build in kinds.items():
        norm = SharedBatchNorm(DIM).double()
        measured = loss_and_gradients(norm, build(getattr(losses, prefix + name)), my_share(rows(0)))
        found[name] = [*measured, norm.running_mean, norm.running_var]
    return found


def one_of_two(process: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=process, world_size=2)
    found = figures(gathered=True)
    if process == 0:
        torch.save(found, Path(folder) / "found.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def over_two_processes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[torch.Tensor]]:
    folder = tmp_path_factory.mktemp("gloo")
    run_together(one_of_two, (str(folder),), 2)
    return torch.load(folder / "found.pt", weights_only=True)


@pytest.mark.parametrize("loss", ["info_nce", "siglip"])
def test_value_gradients_and_statistics_are_those_of_the_whole_batch(
    over_two_processes: dict[str, list[torch.Tensor]], loss: str
) -> None:
    for found, expected in zip(over_two_processes[loss], figures(gathered=False)[loss], strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_in_one_process_the_shared_norm_is_torchs_own() -> None:
    shared, own = SharedBatchNorm(DIM).double(), nn.BatchNorm1d(DIM).double()
    torch.testing.assert_close(shared(rows(2)), own(rows(2)))
    torch.testing.assert_close(shared.running_var, own.running_var)
