"""Leading directions against the singular values of the rows."""

import numpy as np
import pytest
import torch

import isthmus
from isthmus.connectors.narrowing import leading_directions
from two_sides import two_spaces


@pytest.mark.parametrize(("rows", "wide"), [(300, 40), (30, 200)])
def test_the_directions_are_the_fewest_that_keep_the_rows(rows: int, wide: int) -> None:
    draw = torch.Generator().manual_seed(0)
    low = torch.randn(rows, 6, generator=draw) @ torch.randn(6, wide, generator=draw)
    found = leading_directions(low + 1e-3 * torch.randn(rows, wide, generator=draw), lost=1e-4)
    assert found.shape == (wide, 6)
    torch.testing.assert_close(found.T @ found, torch.eye(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(low @ found @ found.T, low, atol=0.02, rtol=0)


def test_the_share_lost_is_that_of_the_squared_singular_values() -> None:
    rows = torch.randn(200, 50, generator=torch.Generator().manual_seed(1)) * torch.linspace(2, 0.1, 50)
    values = np.linalg.svd(rows.double().numpy(), compute_uv=False) ** 2
    outside = 1 - np.cumsum(values) / values.sum()
    for lost in (0.3, 0.05):
        assert leading_directions(rows, lost).shape[1] == int((outside > lost).sum()) + 1


def test_no_more_directions_are_found_than_may_be() -> None:
    rows = torch.randn(200, 50, generator=torch.Generator().manual_seed(1)) * torch.linspace(2, 0.1, 50)
    _, _, axes = np.linalg.svd(rows.double().numpy(), full_matrices=False)
    found = leading_directions(rows, 1e-4, most=7).double().numpy()
    assert found.shape == (50, 7)
    np.testing.assert_allclose(found @ found.T, axes[:7].T @ axes[:7], atol=1e-4)


def test_a_blend_has_no_more_dimensions_than_asked_and_records_what_that_lost() -> None:
    left, right = two_spaces()
    wide = isthmus.connect(left, right, joint_dim=1000)
    items = torch.from_numpy(wide.project(left["image"]).vectors)
    for asked, most in ((None, 20), (12, 12)):
        narrow = isthmus.connect(left, right, joint_dim=asked)
        assert narrow.dim == narrow.choice["narrowing"]["joint"] == most
        cosines = torch.from_numpy(narrow.project(left["image"]).vectors)
        error = (cosines @ cosines.T - items @ items.T).abs().mean().item()
        assert error < 2 * narrow.choice["narrowing"]["lost"]
    assert wide.dim > 20
    assert wide.choice["narrowing"]["lost"] < 1e-3
