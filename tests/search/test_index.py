"""Exact search against a sort of all cosines in float64, and its corrections and refusals."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.metrics import csls_blocks
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


@pytest.mark.parametrize("block_bytes", [1, 4 * 40 * 3, 2**20])
def test_hits_are_the_best_cosines_in_order(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
    items, queries = rows(40, 0), rows(9, 1)
    hits = Index(items).search(queries, k=6)
    expected = cosines(queries, items)
    order = np.argsort(-expected, axis=1)[:, :6]
    np.testing.assert_array_equal(hits.rows, order)
    np.testing.assert_allclose(hits.scores, np.take_along_axis(expected, order, 1), atol=1e-6)
    assert hits.ids.tolist() == [[items.ids[row] for row in found] for found in order]


@pytest.mark.parametrize("block_bytes", [1, 4 * 40 * 3, 2**20])
def test_csls_equals_its_definition(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.metrics.blocks.SCORE_BYTES", block_bytes)
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


def test_rows_added_in_threads_are_all_there_with_their_own_ids() -> None:
    index, parts = Index(rows(5, 0)), [rows(20, seed) for seed in range(1, 41)]
    with ThreadPoolExecutor(16) as pool:
        searches = pool.map(lambda _: index.search(parts[0], k=3), range(40))
        list(pool.map(index.add, parts))
        assert all(hits.ids.shape == (20, 3) for hits in searches)
    assert len(index) == 5 + 40 * 20
    for part in parts:
        assert index.search(part, k=1).ids[:, 0].tolist() == part.ids


def test_csls_without_queries_to_refer_to_is_refused() -> None:
    none = rows(3, 1).take(np.array([], int))
    with pytest.raises(IsthmusError, match="the reference has no rows: pass typical queries"):
        Index(rows(4, 0), reference=none)
    items = rows(4, 0).vectors
    with pytest.raises(IsthmusError, match="pass reference rows"):
        list(csls_blocks(items, items, none.vectors))


def test_an_empty_index_gives_no_hits() -> None:
    hits = Index(rows(3, 1).take(np.array([], int))).search(rows(4, 0), csls=True)
    assert hits.ids.shape == (4, 0)


def test_an_index_can_be_sent_to_another_process() -> None:
    again = pickle.loads(pickle.dumps(Index(rows(4, 0))))
    again.add(rows(2, 1))
    assert again.search(rows(2, 1), k=1).rows.tolist() == [[4], [5]]


def test_mapped_vectors_meet_their_base_and_their_own_star_only() -> None:
    base, star, grown, other = "clip", "clip via a#00000000", "clip via a#00000000, b#11111111", "clip via b#22222222"
    index = Index(rows(4, 0, space=base))
    assert len(index.search(rows(2, 1, space=star), k=1)) == 2
    assert len(Index(rows(4, 0, space=star)).search(rows(2, 1, space=base), k=1)) == 2
    index.add(rows(2, 1, space=star))
    assert len(index.search(rows(3, 2, space=grown), k=1)) == 3
    for refused in (other, "clap via a#00000000", "clip via a#99999999"):
        with pytest.raises(IsthmusError, match=f"vectors are in space '{refused}', the index in '{star}'"):
            index.search(rows(3, 2, space=refused))


def test_k_beyond_the_index_gives_every_row() -> None:
    hits = Index(rows(3, 0)).search(rows(2, 1), k=10)
    assert [sorted(found) for found in hits.rows.tolist()] == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize("csls", [False, True])
def test_no_queries_give_no_hits(csls: bool) -> None:
    none = rows(3, 1).take(np.array([], int))
    hits = Index(rows(4, 0), reference=rows(5, 2)).search(none, k=2, csls=csls)
    assert (hits.ids.shape, list(hits), hits.to_dicts()) == ((0, 2), [], [])


def test_hits_iterate_by_query_and_make_a_table() -> None:
    items, queries = rows(6, 0), rows(3, 1)
    hits = Index(items).search(queries, k=2)
    expected = cosines(queries, items)
    order = np.argsort(-expected, axis=1)[:, :2]
    assert [(query, [hit.row for hit in found]) for query, found in hits] == list(
        zip(queries.ids, order.tolist(), strict=True)
    )
    table = [
        {"query": queries.ids[q], "rank": rank + 1, "id": items.ids[order[q, rank]], "row": order[q, rank]}
        for q in range(3)
        for rank in range(2)
    ]
    found = hits.to_dicts()
    np.testing.assert_allclose(
        [row.pop("score") for row in found], np.take_along_axis(expected, order, 1).ravel(), atol=1e-6
    )
    assert found == table
    frame = hits.to_pandas()
    assert frame.drop(columns="score").to_dict("records") == table
    assert frame["score"].to_list() == hits.scores.ravel().tolist()
    assert len(hits.top(1).to_pandas()) == 3


def test_ids_of_any_length_cost_a_reference_each() -> None:
    names = ["a", "b" * 10_000]
    items = Embeddings.from_array(np.eye(2, dtype=np.float32), modality="audio", space="joint", ids=names)
    hits = Index(items).search(items, k=1)
    assert hits.ids[:, 0].tolist() == names
    assert hits.ids.itemsize == 8


def test_a_table_without_pandas_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(IsthmusError, match="to_pandas needs pandas: pip install pandas"):
        Index(rows(3, 0)).search(rows(2, 1)).to_pandas()


def test_an_id_that_is_there_already_is_refused() -> None:
    with pytest.raises(IsthmusError, match="id '0-0' is already in the index: leave its row out"):
        Index(rows(3, 0)).add(rows(3, 0))


def test_queries_of_another_space_are_refused() -> None:
    with pytest.raises(IsthmusError, match="are in space 'clip', the index in 'joint': project both"):
        Index(rows(3, 0)).search(rows(3, 1, space="clip"))


def test_queries_of_another_dimension_are_refused() -> None:
    with pytest.raises(IsthmusError, match="have 4 dimensions, the index 5"):
        Index(rows(3, 0)).search(rows(3, 1, dim=4))


def test_k_below_one_is_refused() -> None:
    with pytest.raises(IsthmusError, match="k must be a positive integer, got 0"):
        Index(rows(3, 0)).search(rows(3, 1), k=0)
