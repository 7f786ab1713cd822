"""The losses against loops in float64, and their gradients against finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.methods.losses import cmcr_loss, info_nce, inter, intra_plain, intra_squared, siglip

BATCH, DIM = 6, 5


def unit_rows(seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(BATCH, DIM, generator=draw, dtype=torch.float64), dim=-1)


EQUAL = np.ones(BATCH)
UNEQUAL = np.array([1.0, 0.5, 0.0, 0.25, 2.0, 0.1])


def looped_info_nce(left: np.ndarray, right: np.ndarray, temperature: float, weights: np.ndarray = EQUAL) -> float:
    total = 0.0
    for i in range(BATCH):
        for queries, keys in ((left, right), (right, left)):
            mass = sum(np.exp(queries[i] @ keys[j] / temperature) for j in range(BATCH))
            total -= weights[i] * np.log(np.exp(queries[i] @ keys[i] / temperature) / mass)
    return total / (2 * BATCH)


def looped_siglip(
    left: np.ndarray, right: np.ndarray, temperature: float, bias: float, weights: np.ndarray = EQUAL
) -> float:
    total = 0.0
    for i in range(BATCH):
        for j in range(BATCH):
            sign = 1 if i == j else -1
            term = np.log(1 / (1 + np.exp(-sign * (left[i] @ right[j] / temperature + bias))))
            total -= (weights[i] + weights[j]) / 2 * term
    return total / BATCH


@pytest.mark.parametrize("temperature", [0.01, 0.05])
def test_every_loss_weighs_its_pairs(temperature: float) -> None:
    left, right, weights = unit_rows(0), unit_rows(1), torch.from_numpy(UNEQUAL)
    bias, arrays = torch.tensor(-1.0, dtype=torch.float64), (left.numpy(), right.numpy())
    found = info_nce(left, right, temperature, weights=weights).item()
    assert found == pytest.approx(looped_info_nce(*arrays, temperature, UNEQUAL), rel=1e-10)
    found = siglip(left, right, temperature, bias, weights=weights).item()
    assert found == pytest.approx(looped_siglip(*arrays, temperature, -1.0, UNEQUAL), rel=1e-10)
    squares = UNEQUAL @ ((left - right) ** 2).sum(1).numpy() / (2 * BATCH)
    assert intra_squared(left, right, weights).item() == pytest.approx(squares, rel=1e-10)


def test_a_pseudo_pair_is_weighted_by_both_sides_and_an_intra_term_by_its_own() -> None:
    overlap, pseudo = (unit_rows(6), unit_rows(7)), (unit_rows(8), unit_rows(9))
    cycles = torch.from_numpy(UNEQUAL), torch.from_numpy(UNEQUAL[::-1].copy())
    config = CmcrConfig(temperature=0.1, pseudo_weight=0.7, intra_weight=0.3)
    product = UNEQUAL * UNEQUAL[::-1]
    expected = looped_info_nce(*(rows.numpy() for rows in overlap), 0.1)
    expected += 0.7 * looped_info_nce(*(rows.numpy() for rows in pseudo), 0.1, product)
    expected += 0.3 * sum(
        intra_squared(text, item, own).item() for text, item, own in zip(overlap, pseudo, cycles, strict=True)
    )
    found = cmcr_loss(overlap, pseudo, config, torch.tensor(0.0), cycles=cycles)
    assert found.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_info_nce_is_the_papers_double_sum(temperature: float) -> None:
    left, right = unit_rows(0), unit_rows(1)
    expected = looped_info_nce(left.numpy(), right.numpy(), temperature)
    assert info_nce(left, right, temperature).item() == pytest.approx(expected, rel=1e-12)


def test_info_nce_does_not_overflow_at_a_small_temperature() -> None:
    left = unit_rows(0).float()
    assert info_nce(left, left, 1e-3).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("temperature", [0.02, 0.05])
def test_info_nce_and_its_gradient_hold_for_a_column_far_from_every_row(temperature: float) -> None:
    left = unit_rows(0).float()
    left[:, 0] = left[:, 0].abs() + 1
    left = functional.normalize(left, dim=-1).requires_grad_()
    right = left.detach().clone()
    right[2] = torch.tensor([-1.0, 0, 0, 0, 0])
    scores = left @ right.T / temperature
    plain = 0.5 * (scores.logsumexp(1) + scores.logsumexp(0) - 2 * scores.diagonal()).mean()
    (expected,) = torch.autograd.grad(plain, left, retain_graph=True)
    loss = info_nce(left, right, temperature)
    (found,) = torch.autograd.grad(loss, left)
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("bias", [-10.0, 0.0, 2.0])
def test_siglip_sums_over_all_signed_pairs(bias: float) -> None:
    left, right = unit_rows(2), unit_rows(3)
    expected = looped_siglip(left.numpy(), right.numpy(), 0.1, bias)
    found = siglip(left, right, 0.1, torch.tensor(bias, dtype=torch.float64))
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_intra_halves_the_mean_distance_plain_and_squared() -> None:
    overlap, pseudo = unit_rows(4), unit_rows(5)
    distances = [np.sqrt(sum((a - b) ** 2)) for a, b in zip(overlap.numpy(), pseudo.numpy(), strict=True)]
    assert intra_plain(overlap, pseudo).item() == pytest.approx(sum(distances) / (2 * BATCH), rel=1e-12)
    squares = sum(distance**2 for distance in distances)
    assert intra_squared(overlap, pseudo).item() == pytest.approx(squares / (2 * BATCH), rel=1e-12)


def test_inter_weighs_both_terms_and_leaves_out_those_of_weight_zero() -> None:
    overlap, pseudo = (unit_rows(6), unit_rows(7)), (unit_rows(8), unit_rows(9))

    def contrastive(left: torch.Tensor, right: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        return info_nce(left, right, 0.1, weights=weights)

    both = inter(overlap, pseudo, contrastive, (1.0, 0.5))
    torch.testing.assert_close(both, contrastive(*overlap) + 0.5 * contrastive(*pseudo))
    torch.testing.assert_close(inter(overlap, pseudo, contrastive, (0.0, 2.0)), 2 * contrastive(*pseudo))
    torch.testing.assert_close(inter(overlap, pseudo, contrastive, (1.0, 0.0)), contrastive(*overlap))


@pytest.mark.parametrize(
    "loss",
    [
        lambda left, right: info_nce(left, right, 0.1),
        lambda left, right: info_nce(left, right, 0.1, weights=torch.from_numpy(UNEQUAL)),
        lambda left, right: siglip(left, right, 0.1, torch.tensor(-1.0), weights=torch.from_numpy(UNEQUAL)),
        lambda left, right: siglip(left, right, 0.1, torch.tensor(-1.0, dtype=torch.float64)),
        intra_squared,
        intra_plain,
    ],
    ids=["info_nce", "weighted info_nce", "weighted siglip", "siglip", "intra_squared", "intra_plain"],
)
def test_gradients_agree_with_finite_differences(
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    rows = unit_rows(10).requires_grad_(), unit_rows(11).requires_grad_()
    assert torch.autograd.gradcheck(loss, rows)


def test_the_gradient_reaches_siglips_bias() -> None:
    bias = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)
    left, right = unit_rows(12), unit_rows(13)
    assert torch.autograd.gradcheck(lambda b: siglip(left, right, 0.1, b), (bias,))
