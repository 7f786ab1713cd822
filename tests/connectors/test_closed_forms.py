"""Closed forms against what they must equal: textbook solutions computed another way, in float64."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch.nn import functional

from isthmus.connectors.methods.closed_forms import Moments, cca, moments, procrustes, ridge


def paired_views(seed: int, rows: int = 400, left: int = 12, right: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    """Two noisy linear views of one latent, unit rows."""
    draw = torch.Generator().manual_seed(seed)
    latent = torch.randn(rows, 7, generator=draw)
    views = []
    for dim in (left, right):
        view = latent @ torch.randn(7, dim, generator=draw) + 0.5 * torch.randn(rows, dim, generator=draw)
        views.append(functional.normalize(view, dim=-1))
    return views[0], views[1]


def test_moments_do_not_depend_on_how_the_rows_are_batched() -> None:
    left, right = paired_views(0)
    whole = moments([(left, right)])
    parts = moments(zip(left.split(37), right.split(37), strict=True))
    assert parts.rows == whole.rows == 400
    expected = left.double().T @ right.double() / 400
    for found in (whole, parts):
        torch.testing.assert_close(found.cross, expected, rtol=1e-5, atol=1e-7)


def test_added_moments_are_those_of_the_pairs_together() -> None:
    left, right = paired_views(1)
    together = moments([(left, right)])
    added = moments([(left[:150], right[:150])]) + moments([(left[150:], right[150:])])
    assert added.rows == together.rows
    for mine, theirs in (
        (added.left, together.left),
        (added.right, together.right),
        (added.cross, together.cross),
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)


def test_procrustes_gives_the_cosines_of_the_orthogonal_map() -> None:
    left, right = paired_views(2, left=10, right=10)
    to_left, to_right = procrustes(moments([(left, right)]))
    rotation, _ = scipy.linalg.orthogonal_procrustes(right.double().numpy(), left.double().numpy())
    expected = left.double().numpy() @ (right.double().numpy() @ rotation).T
    np.testing.assert_allclose((left @ to_left) @ (right @ to_right).T, expected, atol=1e-5)


def test_procrustes_recovers_a_rotation_exactly() -> None:
    left, _ = paired_views(3, left=10)
    rotation, _ = torch.linalg.qr(torch.randn(10, 10, generator=torch.Generator().manual_seed(3)))
    to_left, to_right = procrustes(moments([(left, left @ rotation)]))
    torch.testing.assert_close(left @ to_left, left @ rotation @ to_right, rtol=0, atol=1e-5)


def test_ridge_is_penalised_least_squares() -> None:
    left, right = paired_views(4)
    penalty = 0.01
    _, to_left = ridge(moments([(left, right)]), penalty)
    rows = len(left)
    stacked = np.vstack([right.double().numpy(), np.sqrt(rows * penalty) * np.eye(right.shape[1])])
    target = np.vstack([left.double().numpy(), np.zeros((right.shape[1], left.shape[1]))])
    expected, *_ = np.linalg.lstsq(stacked, target, rcond=None)
    np.testing.assert_allclose(to_left.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("penalty", [(1e-6, 1e-6), (0.01, 0.003)])
def test_cca_solves_the_generalised_eigenproblem(penalty: tuple[float, float]) -> None:
    left, right = paired_views(5)
    found = moments([(left, right)])
    to_left, to_right = cca(found, penalty, power=0.0)
    gram_left = found.left + penalty[0] * torch.eye(len(found.left))
    gram_right = found.right + penalty[1] * torch.eye(len(found.right))
    correlations = torch.diagonal(to_left.double().T @ found.cross @ to_right.double())
    squared = scipy.linalg.eigh(
        (found.cross @ torch.linalg.solve(gram_right, found.cross.T)).numpy(),
        gram_left.numpy(),
        eigvals_only=True,
    )
    expected = np.sqrt(np.clip(np.sort(squared)[::-1][:9], 0, None))
    np.testing.assert_allclose(correlations.numpy(), expected, atol=1e-4)


def test_cca_weights_its_axes_by_correlation_to_the_power() -> None:
    found = moments([paired_views(6)])
    plain, _ = cca(found, (0.01, 0.01), power=0.0)
    weighted, _ = cca(found, (0.01, 0.01), power=2.0)
    _, to_right = cca(found, (0.01, 0.01), power=0.0)
    correlations = torch.diagonal(plain.double().T @ found.cross @ to_right.double())
    torch.testing.assert_close(weighted.double(), plain.double() * correlations**2, rtol=1e-4, atol=1e-5)


def test_a_direction_without_variance_does_not_explode() -> None:
    left, right = paired_views(7)
    left[:, 0] = 0
    to_left, _ = cca(moments([(left, right)]), (1e-3, 1e-3), power=1.0)
    assert torch.isfinite(to_left).all()
    assert to_left.norm() < 1e3


def test_moments_are_plain_data() -> None:
    eye = torch.eye(2, dtype=torch.float64)
    doubled = Moments(1.0, eye, eye, eye) + Moments(3.0, 2 * eye, 2 * eye, 2 * eye)
    torch.testing.assert_close(doubled.left, 1.75 * eye)
