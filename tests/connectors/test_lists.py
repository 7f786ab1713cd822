"""`lists` against exact consistency, and what its lists hold."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus.connectors.config import ConsistencyConfig
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo.consistency import prepare
from isthmus.connectors.pseudo.exact import exact
from isthmus.connectors.pseudo.lists import (
    Lists,
    Probe,
    build_lists,
    least_share_for,
    mean_cosine_error,
    mean_over_lists,
)

CPU = torch.device("cpu")
TEMPERATURE = 0.02
BF16_ERROR = 2e-4
"""What half precision costs where a query's weight rests on a few rows."""


def clustered(seed: int, rows: int, dim: int = 24) -> torch.Tensor:
    """Unit rows around forty centres that all seeds share."""
    centres = torch.randn(40, dim, generator=torch.Generator().manual_seed(99))
    draw = torch.Generator().manual_seed(seed)
    own = centres[torch.randint(40, (rows,), generator=draw)] + 0.7 * torch.randn(rows, dim, generator=draw)
    return functional.normalize(own, dim=-1)


@pytest.fixture(scope="module")
def queries() -> torch.Tensor:
    return clustered(0, 300)


@pytest.fixture(scope="module")
def memory() -> torch.Tensor:
    return clustered(1, 5000)


@pytest.fixture(scope="module")
def lists(queries: torch.Tensor, memory: torch.Tensor) -> Lists:
    return build_lists(TensorRows(memory), queries, seed=0)


def test_lists_hold_every_row_once_and_their_means(memory: torch.Tensor, lists: Lists) -> None:
    assert lists.sizes.sum() == len(memory)
    found = lists.keys[lists.keys.any(1)].float() @ torch.arange(1.0, 25.0)
    expected = memory @ torch.arange(1.0, 25.0)
    torch.testing.assert_close(found.sort().values, expected.sort().values, atol=0.1, rtol=0)
    fullest = int(lists.sizes.argmax())
    start = int(lists.starts[fullest])
    rows = lists.keys[start : start + int(lists.sizes[fullest])].float()
    torch.testing.assert_close(rows.mean(0), lists.means[fullest].float(), atol=5e-3, rtol=0)


def test_looking_at_every_list_is_exact_consistency_in_half_precision(
    queries: torch.Tensor, memory: torch.Tensor, lists: Lists
) -> None:
    expected = exact(queries, TensorRows(memory), TEMPERATURE)
    found = mean_over_lists(queries, lists, TEMPERATURE, least_share=1e-30)
    assert mean_cosine_error(found, expected) < BF16_ERROR


def test_the_share_found_keeps_the_tolerance_on_other_queries_and_skips_lists(
    queries: torch.Tensor, memory: torch.Tensor, lists: Lists
) -> None:
    expected = exact(queries, TensorRows(memory), TEMPERATURE)
    share, error = least_share_for(1e-3, queries[:100], expected[:100], lists, TEMPERATURE)
    assert error <= 1e-3
    assert mean_cosine_error(mean_over_lists(queries[100:], lists, TEMPERATURE, share), expected[100:]) < 2e-3
    looked_at = Probe.start(queries, lists, TEMPERATURE).chosen(share).float() @ lists.sizes.float()
    assert looked_at.mean() < 0.5 * len(memory)


def test_the_reported_error_is_that_against_float64(
    queries: torch.Tensor, memory: torch.Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    config = ConsistencyConfig(temperature=TEMPERATURE, method="lists")
    with caplog.at_level("INFO", "isthmus"):
        ready = prepare(TensorRows(queries), TensorRows(memory), config, device=CPU)
    assert f"lists over 5000 rows, mean cosine error {ready.error:.1e}" in caplog.text
    scores = queries.double().numpy() @ memory.double().numpy().T / TEMPERATURE
    weights = np.exp(scores - scores.max(1, keepdims=True))
    means = weights @ memory.double().numpy()
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    error = (1 - (ready(queries).double().numpy() * means).sum(1)).mean()
    assert ready.method == "lists"
    assert 0 < ready.error <= 1e-3
    assert error == pytest.approx(ready.error, rel=0.3)


def test_values_beside_the_memory_are_averaged_in_its_stead(queries: torch.Tensor, memory: torch.Tensor) -> None:
    values = functional.normalize(memory @ torch.randn(24, 7, generator=torch.Generator().manual_seed(3)), dim=-1)
    lists = build_lists(TensorRows(memory), queries, TensorRows(values), seed=0)
    expected = exact(queries, TensorRows(memory), TEMPERATURE, TensorRows(values))
    assert mean_cosine_error(mean_over_lists(queries, lists, TEMPERATURE, 1e-30), expected) < BF16_ERROR


@pytest.mark.slow
def test_a_tolerance_below_the_precision_is_answered_exactly(queries: torch.Tensor, memory: torch.Tensor) -> None:
    config = ConsistencyConfig(temperature=TEMPERATURE, method="lists", tolerance=1e-30)
    ready = prepare(TensorRows(queries), TensorRows(memory), config, device=CPU)
    assert (ready.method, ready.error) == ("exact", 0.0)


@pytest.mark.parametrize("rows", [1, 5, 9])
def test_a_memory_of_a_few_rows_makes_lists_too(rows: int, queries: torch.Tensor, memory: torch.Tensor) -> None:
    few = TensorRows(memory[:rows])
    lists = build_lists(few, queries, seed=0)
    assert mean_cosine_error(mean_over_lists(queries, lists, 0.1, 1e-30), exact(queries, few, 0.1)) < 1e-4
