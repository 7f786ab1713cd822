"""R@k, median rank, MRR and mAP against a float64 loop, with several relevant items, ties and negative scores."""

import tracemalloc

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.metrics import retrieval

KS = (1, 3, 5)
SCORE_BYTES = "isthmus.metrics.blocks.SCORE_BYTES"


def rows(count: int, seed: int, modality: str = "image", dim: int = 6) -> Embeddings:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return Embeddings.from_array(vectors, modality=modality, space="joint", ids=[f"{seed}-{i}" for i in range(count)])


def looped(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    firsts, precisions = [], []
    for row, wanted in zip(scores, relevant, strict=True):
        order = sorted(range(len(row)), key=lambda item: (-row[item], wanted[item]))
        hits = [place + 1 for place, item in enumerate(order) if wanted[item]]
        if hits:
            firsts.append(hits[0])
            precisions.append(sum((n + 1) / place for n, place in enumerate(hits)) / len(hits))
    rates = {f"r{k}": sum(first <= k for first in firsts) / len(firsts) for k in KS}
    mrr = sum(1 / first for first in firsts) / len(firsts)
    return rates | {"mrr": mrr, "map": sum(precisions) / len(precisions), "median": float(np.median(firsts))}


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_the_loop_with_several_relevant_items(seed: int) -> None:
    queries, gallery = rows(40, seed), rows(60, seed + 100)
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 12, 40), draw.integers(0, 10, 60)
    found = retrieval(queries, gallery, labels, ks=KS)

    scores = queries.vectors.astype(np.float64) @ gallery.vectors.astype(np.float64).T
    assert scores.min() < 0
    relevant = labels[0][:, None] == labels[1][None, :]
    expected = looped(scores, relevant)
    assert [found.recall[k] for k in KS] == pytest.approx([expected[f"r{k}"] for k in KS])
    assert (found.mrr, found.map, found.median_rank) == pytest.approx(
        (expected["mrr"], expected["map"], expected["median"])
    )
    assert (found.queries, found.without_relevant) == (relevant.any(1).sum(), (~relevant.any(1)).sum())


def test_ties_and_negative_scores_are_scored_as_in_the_loop() -> None:
    corners = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    draw = np.random.default_rng(0)
    queries = Embeddings.from_array(corners[draw.integers(0, 4, 30)], modality="image", space="s")
    gallery = Embeddings.from_array(corners[draw.integers(0, 4, 50)], modality="audio", space="s")
    relevant = draw.random((30, 50)) < 0.1
    expected = looped(queries.vectors @ gallery.vectors.T, relevant)
    found = retrieval(queries, gallery, relevant, ks=KS)
    assert [found.recall[k] for k in KS] == pytest.approx([expected[f"r{k}"] for k in KS])
    assert (found.mrr, found.map) == pytest.approx((expected["mrr"], expected["map"]))


def test_the_four_ways_to_say_what_is_relevant_agree() -> None:
    queries = rows(8, 1)
    gallery = queries.take(np.random.default_rng(0).permutation(8))
    by_matrix = np.array([[query == item for item in gallery.ids] for query in queries.ids])
    numbers = {name: number for number, name in enumerate(queries.ids)}
    labels = np.arange(8), np.array([numbers[name] for name in gallery.ids])
    everything = [
        retrieval(queries, gallery, relevant)
        for relevant in (None, {name: {name} for name in queries.ids}, labels, by_matrix)
    ]
    assert everything[0].recall[1] == 1
    assert all(scores == everything[0] for scores in everything)


def test_blocks_give_what_one_matrix_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, gallery = rows(37, 2), rows(23, 3)
    labels = np.arange(37) % 7, np.arange(23) % 5
    whole = retrieval(queries, gallery, labels)
    monkeypatch.setattr(SCORE_BYTES, 4 * 23 * 5)
    assert retrieval(queries, gallery, labels) == whole


class Recorded(np.ndarray):
    """Rows that record the bytes of the largest block of scores."""

    largest = 0

    def __matmul__(self, other: np.ndarray) -> np.ndarray:
        scores = np.asarray(self) @ np.asarray(other)
        Recorded.largest = max(Recorded.largest, scores.nbytes)
        return scores


def test_scores_held_at_once_stay_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SCORE_BYTES, 4096)
    queries, gallery = rows(100, 4), rows(64, 5)
    queries.vectors = queries.vectors.view(Recorded)
    retrieval(queries, gallery, (np.arange(100) % 9, np.arange(64) % 9))
    assert Recorded.largest == 4096


def test_different_dimensions_are_named() -> None:
    with pytest.raises(IsthmusError, match="queries have 6 dimensions, the gallery 4: project both"):
        retrieval(rows(3, 0), rows(3, 1, dim=4))


def test_a_relevance_matrix_of_another_shape_is_named() -> None:
    with pytest.raises(IsthmusError, match=r"relevant has shape \(3, 2\), expected \(queries, items\): \(3, 4\)"):
        retrieval(rows(3, 0), rows(4, 1), np.ones((3, 2), bool))


def test_labels_of_another_length_are_named() -> None:
    with pytest.raises(
        IsthmusError, match=r"labels for 2 queries and 4 items, but the sets have 3 and 4: pass one label"
    ):
        retrieval(rows(3, 0), rows(4, 1), (np.arange(2), np.arange(4)))


def test_a_gallery_without_any_relevant_item_is_refused() -> None:
    with pytest.raises(IsthmusError, match="no query has a relevant item in the gallery: check ids or labels"):
        retrieval(rows(3, 0), rows(4, 1))


def test_ids_that_differ_only_in_trailing_nuls_are_different() -> None:
    ids = ["a", "a\0", "a\0\0"]
    queries = Embeddings.from_array(np.eye(3), modality="text", space="joint", ids=ids)
    gallery = Embeddings.from_array(np.eye(3)[[1, 2, 0]], modality="image", space="joint", ids=ids)
    assert retrieval(queries, gallery).mrr == pytest.approx(1 / 3)
    assert retrieval(queries, gallery, (ids, ids)).mrr == pytest.approx(1 / 3)


def test_row_numbers_do_not_say_what_is_relevant() -> None:
    queries = Embeddings.from_array(np.eye(3), modality="text", space="joint")
    gallery = Embeddings.from_array(np.eye(3), modality="image", space="joint", ids=range(3))
    for pair in ((queries, gallery), (gallery, queries)):
        with pytest.raises(IsthmusError, match="have no ids, only row numbers"):
            retrieval(*pair)
    assert retrieval(queries, gallery, (np.arange(3), np.arange(3))).mrr == 1
    assert retrieval(queries, gallery, np.eye(3)).mrr == 1
    assert retrieval(queries, gallery, {"0": {"0"}, "1": {"1", "2"}}).queries == 2


def test_queries_and_gallery_of_two_spaces_are_refused() -> None:
    queries = Embeddings.from_array(np.eye(3), modality="text", space="clip", ids=range(3))
    gallery = Embeddings.from_array(np.eye(3), modality="image", space="clap", ids=range(3))
    with pytest.raises(IsthmusError, match="queries are in space 'clip', the gallery in 'clap'"):
        retrieval(queries, gallery)


def test_one_text_in_place_of_a_set_of_relevant_ids_is_refused() -> None:
    both = Embeddings.from_array(np.eye(2), modality="text", space="joint", ids=["dog1", "dog12"])
    with pytest.raises(IsthmusError, match=r"relevant\['dog1'\] is one text, not a set of ids"):
        retrieval(both, both, {"dog1": "dog12"})


def test_one_long_id_costs_no_memory() -> None:
    ids = [*map(str, range(1000)), "x" * 100_000]
    rows = np.random.default_rng(0).normal(size=(1001, 4)).astype(np.float32)
    queries = Embeddings.from_array(rows, modality="text", space="joint", ids=ids)
    tracemalloc.start()
    try:
        assert retrieval(queries, queries).mrr == 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6  # 400 MB would hold the ids as fixed-width text; the scores of a block take the rest
