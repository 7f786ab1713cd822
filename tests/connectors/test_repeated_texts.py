"""Equal texts are not each other's negatives: in both losses of C-MCR and Ex-MCR, in one process and over two."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch.nn import functional

from isthmus.connectors.config import CmcrConfig, ExmcrConfig
from isthmus.connectors.methods import losses
from isthmus.connectors.methods.cmcr import CmcrObjective
from isthmus.connectors.methods.exmcr import ExmcrObjective
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.counterparts import TrainingSide, every_group, pair_groups
from isthmus.training.processes import my_share
from isthmus.training.repeats import repeats_of
from warm_processes import run_together

TEXTS = [0, 1, 2, 1, 3, 4, 5, 4]
"""The texts of a batch: two of them come twice."""
GROUPS = torch.tensor([[0, 1, 2, 1, 4, 5, 6, 5]])
BIAS = torch.tensor(-2.0, dtype=torch.float64)


def unit_rows(seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(len(TEXTS), 5, generator=draw, dtype=torch.float64), dim=-1)


def both_losses(left: torch.Tensor, right: torch.Tensor, prefix: str = "") -> list[torch.Tensor]:
    repeats = repeats_of(GROUPS, torch.arange(len(TEXTS)))
    info, sigmoid = (getattr(losses, prefix + name) for name in ("info_nce", "siglip"))
    return [info(left, right, 0.1, repeats), sigmoid(left, right, 0.1, BIAS, repeats)]


def by_hand() -> tuple[float, float]:
    """Double sums that leave out another row with the same text."""
    scores = (unit_rows(0) @ unit_rows(1).T).numpy() / 0.1
    info = sigmoid = 0.0
    for i, text in enumerate(TEXTS):
        kept = [j for j, other in enumerate(TEXTS) if j == i or other != text]
        for row in (scores[i], scores[:, i]):
            info -= np.log(np.exp(row[i]) / np.exp(row[kept]).sum())
        for j in kept:
            sigmoid += np.log1p(np.exp((-1 if i == j else 1) * (scores[i, j] - 2.0)))
    return info / (2 * len(TEXTS)), sigmoid / len(TEXTS)


def test_both_losses_leave_repeats_out_of_their_sums() -> None:
    for found, expected in zip(both_losses(unit_rows(0), unit_rows(1)), by_hand(), strict=True):
        assert found.item() == pytest.approx(expected, rel=1e-12)


def test_a_perfect_batch_with_a_repeat_costs_nothing() -> None:
    rows = torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0]]
    repeats = repeats_of(torch.tensor([[0, 1, 2, 0]]), torch.arange(4))
    assert losses.info_nce(rows, rows, 0.02).item() == pytest.approx(math.log(2) / 2)
    assert losses.info_nce(rows, rows, 0.02, repeats).item() == pytest.approx(0, abs=1e-9)
    assert losses.info_nce(rows, rows, 0.001, repeats).item() == pytest.approx(0, abs=1e-9)


def test_gradients_are_those_of_finite_differences() -> None:
    rows = unit_rows(0).requires_grad_(), unit_rows(1).requires_grad_()
    assert torch.autograd.gradcheck(lambda *pair: torch.stack(both_losses(*pair)), rows)


def one_of_two(process: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=process, world_size=2)
    left, right = (my_share(unit_rows(seed)).requires_grad_() for seed in (0, 1))
    found = torch.stack(both_losses(left, right, "gathered_"))
    found.sum().backward()
    torch.save((found.detach(), left.grad), Path(folder) / f"{process}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_leave_out_the_same_repeats(tmp_path: Path) -> None:
    run_together(one_of_two, (str(tmp_path),), 2)
    parts = [torch.load(tmp_path / f"{process}.pt", weights_only=True) for process in range(2)]
    left, right = unit_rows(0).requires_grad_(), unit_rows(1)
    expected = torch.stack(both_losses(left, right))
    expected.sum().backward()
    torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, expected.detach())
    torch.testing.assert_close(torch.cat([part[1] for part in parts]) / 2, left.grad)


def test_overlap_rows_with_equal_vectors_on_a_side_are_the_same_text() -> None:
    left, right = torch.randn(6, 4), torch.randn(6, 3)
    assert pair_groups(TensorRows(left), TensorRows(right)) is None
    left[4] = left[1]
    right[5] = right[0]
    groups = pair_groups(TensorRows(left), TensorRows(right))
    assert groups is not None
    assert groups.tolist() == [[0, 1, 2, 3, 1, 5], [0, 1, 2, 3, 4, 0]]


def test_rows_queried_from_a_memory_repeat_with_its_items() -> None:
    texts, items = torch.randn(4, 3), torch.randn(5, 3)[[0, 1, 0, 2, 3]]
    sides = [
        TrainingSide(TensorRows(texts), TensorRows(items) if number else None, ExmcrConfig().consistency, texts.device)
        for number in (0, 1)
    ]
    groups = every_group(*sides)
    assert groups is not None
    assert groups[0].tolist() == [0, 1, 2, 3, 4, 5, 4, 7, 8]


def test_the_objectives_pass_the_mask_to_every_term() -> None:
    """Two equal pairs, and a third: once the third is orthogonal, nothing is left to contrast."""
    rows = torch.eye(4)[[0, 1, 0]][None].repeat(2, 1, 1)
    groups = torch.tensor([[0, 1, 0]])
    draw = torch.Generator()

    def projector() -> torch.nn.Sequential:
        layer = torch.nn.Linear(4, 4, bias=False)
        torch.nn.init.eye_(layer.weight)
        return torch.nn.Sequential(layer)

    cmcr = CmcrConfig(noise_variance=0.0, temperature=0.02)
    exmcr = ExmcrConfig(noise_variance=0.0, temperature=0.02)
    plain = CmcrObjective(rows, rows, (projector(), projector()), cmcr)
    masked = CmcrObjective(rows, rows, (projector(), projector()), cmcr, groups=groups)
    assert plain(torch.arange(3), draw).item() > 0.5
    assert masked(torch.arange(3), draw).item() == pytest.approx(0, abs=1e-6)
    assert ExmcrObjective(rows, rows, projector(), exmcr)(torch.arange(3), draw).item() > 0.2
    assert ExmcrObjective(rows, rows, projector(), exmcr, groups)(torch.arange(3), draw).item() == pytest.approx(
        0, abs=1e-6
    )
