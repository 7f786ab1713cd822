"""Exact search against a sort of all cosines in float64, and its corrections and refusals."""

import numpy as np
import pytest

import isthmus.search.index as index_module
from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.search import Index


def rows(count: int, seed: int, *, space: str = "joint", dim: int = 5, modality: str = "audio") -> Embeddings:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return Embeddings.from_array(vectors, modality=modality, space=space, ids=[f"{seed}-{i}" for i in range(count)])


def cosines(queries: Embeddings, items: Embeddings) -> np.ndarray:
    return queries.vectors.astype(np.float64) @ items.vectors.astype(np.float64).T


def looped_csls(scores: np.ndarray, reference: np.ndarray, neighbours: int = 10) -> np.ndarray:
    """2cos - r(q) - r(x); ``reference`` are the cosines of reference queries to the items."""
    corrected = np.empty_like(scores)
    for q, row in enumerate(scores):
        own = np.mean(sorted(row)[-neighbours:])
        for x in range(scores.shape[1]):
            corrected[q, x] = 2 * row[x] - own - np.mean(sorted(reference[:, x])[-neighbours:])
    return corrected


@pytest.mark.parametrize("score_rows", [30, 10**6])
def test_hits_are_the_best_cosines_in_order(score_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "SCORE_ROWS", score_rows)
    items, queries = rows(40, 0), rows(9, 1)
    hits = Index(items).search(queries, k=6)
    expected = cosines(queries, items)
    order = np.argsort(-expected, axis=1)[:, :6]
    np.testing.assert_array_equal(hits.rows, order)
    np.testing.assert_allclose(hits.scores, np.take_along_axis(expected, order, 1), atol=1e-6)
    assert hits.ids.tolist() == [[items.ids[row] for row in found] for found in order]


@pytest.mark.parametrize("score_rows", [30, 10**6])
def test_csls_equals_its_definition(score_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "SCORE_ROWS", score_rows)
    items, queries = rows(40, 0), rows(23, 1)
    hits = Index(items).search(queries, k=4, csls=True)
    plain = cosines(queries, items)
    expected = looped_csls(plain, plain)
    order = np.argsort(-expected, axis=1)[:, :4]
    np.testing.assert_array_equal(hits.rows, order)
    np.testing.assert_allclose(hits.scores, np.take_along_axis(expected, order, 1), atol=1e-6)


def test_reference_queries_decide_how_much_of_a_hub_an_item_is() -> None:
    items, queries, reference = rows(40, 0), rows(2, 1), rows(60, 2)
    hits = Index(items, reference=reference).search(queries, k=40, csls=True)
    expected = looped_csls(cosines(queries, items), cosines(reference, items))
    np.testing.assert_allclose(hits.scores, -np.sort(-expected, axis=1), atol=1e-6)


def test_csls_takes_the_first_place_from_a_hub() -> None:
    twins = np.hstack([np.eye(12), np.full((12, 1), 1.0)])
    hub = np.append(np.full(12, 0.08), 1.0)
    items = np.vstack([np.hstack([np.eye(12), np.full((12, 1), -0.5)]), hub])
    queries = Embeddings.from_array(twins.astype(np.float32), modality="image", space="joint")
    index = Index(Embeddings.from_array(items.astype(np.float32), modality="audio", space="joint"))
    assert index.search(queries, k=1).rows[:, 0].tolist() == [12] * 12
    assert index.search(queries, k=1, csls=True).rows[:, 0].tolist() == list(range(12))


def test_added_rows_are_found_and_numbered_after_the_old() -> None:
    first, second = rows(10, 0), rows(7, 1)
    index = Index(first)
    index.add(second)
    assert len(index) == 17
    hits = index.search(second, k=1)
    assert hits.ids[:, 0].tolist() == second.ids
    assert hits.rows[:, 0].tolist() == list(range(10, 17))


def test_k_beyond_the_index_gives_every_row() -> None:
    assert Index(rows(3, 0)).search(rows(2, 1), k=10).ids.shape == (2, 3)


def test_an_id_that_is_there_already_is_refused() -> None:
    with pytest.raises(IsthmusError, match="id '0-0' is in the index already: remove it"):
        Index(rows(3, 0)).add(rows(3, 0))


def test_queries_of_another_space_are_refused() -> None:
    with pytest.raises(IsthmusError, match="live in space 'clip', the index in 'joint': project them"):
        Index(rows(3, 0)).search(rows(3, 1, space="clip"))


def test_queries_of_another_dimension_are_refused() -> None:
    with pytest.raises(IsthmusError, match="have 4 dimensions, the index 5"):
        Index(rows(3, 0)).search(rows(3, 1, dim=4))


def test_k_below_one_is_refused() -> None:
    with pytest.raises(IsthmusError, match="k must be a whole number from 1, got 0"):
        Index(rows(3, 0)).search(rows(3, 1), k=0)
