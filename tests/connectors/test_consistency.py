"""Pseudo pairs against the full softmax in float64, in blocks of any size and over degenerate memories."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus.base.errors import IsthmusError
from isthmus.connectors.config import ConsistencyConfig
from isthmus.connectors.overlap.rows import TensorRows
from isthmus.connectors.pseudo import consistency
from isthmus.connectors.pseudo import exact as exact_means
from isthmus.connectors.pseudo.consistency import prepare, pseudo_rows
from isthmus.connectors.pseudo.exact import exact, match_memory

CPU = torch.device("cpu")


def unit_rows(seed: int, rows: int, dim: int = 16) -> torch.Tensor:
    return functional.normalize(torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed)), dim=-1)


def full_softmax(queries: torch.Tensor, memory: torch.Tensor, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and renormalised means, in float64 with the whole score matrix."""
    scores = queries.double().numpy() @ memory.double().numpy().T / temperature
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    means = weights @ memory.double().numpy()
    return weights, means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_exact_is_the_full_softmax_whatever_the_blocks(
    temperature: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exact_means.MEMORY_ROWS, "cpu", block)
    monkeypatch.setitem(exact_means.TILE_QUERIES, "cpu", 10)
    queries, memory = unit_rows(0, 33), unit_rows(1, 130)
    _, expected = full_softmax(queries, memory, temperature)
    np.testing.assert_allclose(exact(queries, TensorRows(memory), temperature), expected, atol=2e-6)


def test_far_rows_before_near_ones_do_not_underflow() -> None:
    near = unit_rows(2, 1)
    memory = torch.cat((-near.repeat(50, 1), near))
    torch.testing.assert_close(exact(near, TensorRows(memory), 0.01), near)


def test_coverage_counts_neighbours_and_the_nearest_cosine() -> None:
    queries, memory = unit_rows(3, 20), unit_rows(4, 90)
    weights, _ = full_softmax(queries, memory, 0.1)
    found = match_memory(queries, TensorRows(memory), 0.1)
    np.testing.assert_allclose(found.effective_neighbours, 1 / (weights**2).sum(1), rtol=1e-4)
    np.testing.assert_allclose(found.top_cosine, (queries @ memory.T).max(1).values, atol=1e-6)


def test_equal_memory_rows_are_all_neighbours() -> None:
    row = unit_rows(5, 1)
    found = match_memory(row, TensorRows(row.repeat(40, 1)), 0.01)
    assert found.effective_neighbours.item() == pytest.approx(40, rel=1e-3)


def test_pseudo_rows_answer_every_query_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "QUERY_ROWS", {"cpu": 9})
    queries, memory = unit_rows(6, 50), unit_rows(7, 60)
    found = pseudo_rows(TensorRows(queries), TensorRows(memory), ConsistencyConfig(), device=CPU)
    _, expected = full_softmax(queries, memory, 0.01)
    np.testing.assert_allclose(np.concatenate(list(found.batches(4))), expected, atol=2e-6)
    assert (found.consistency.method, found.consistency.error) == ("exact", 0.0)


def test_auto_turns_to_lists_where_exact_would_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    near_thirty = functional.normalize(unit_rows(7, 30).repeat(40, 1) + 0.02 * unit_rows(8, 1200), dim=-1)
    queries, memory = TensorRows(unit_rows(6, 50)), TensorRows(near_thirty)
    assert prepare(queries, memory, ConsistencyConfig(), device=CPU).method == "exact"
    monkeypatch.setattr(consistency, "MANY_SCORES", 1000)
    assert prepare(queries, memory, ConsistencyConfig(), device=CPU).method == "lists"


def test_an_empty_memory_is_refused() -> None:
    with pytest.raises(IsthmusError, match="memory has no rows"):
        prepare(TensorRows(unit_rows(8, 3)), TensorRows(torch.empty(0, 16)), ConsistencyConfig(), device=CPU)
