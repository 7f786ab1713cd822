"""Leading directions against the singular values of the rows."""

import numpy as np
import pytest
import torch

from isthmus.connectors.narrowing import leading_directions


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
