"""Alignment against a loop over cells, and the order of hits that are re-ranked by it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.alignment import CodeSequences, alignment_scores, rerank_by_codes
from isthmus.embeddings.tokens import Tokens
from isthmus.search import Hits

CODES = 4


def drawn(lengths: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    weights = np.random.default_rng(seed).gamma(0.5, size=(sum(lengths), CODES)) + 1e-6
    return np.log(weights / weights.sum(1, keepdims=True)), np.cumsum([0, *lengths])


def looped(left: np.ndarray, right: np.ndarray) -> float:
    best = np.full((len(left) + 1, len(right) + 1), np.inf)
    best[0, 0] = 0
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            cost = 1 - np.sqrt(np.exp(left[i - 1]) * np.exp(right[j - 1])).sum()
            best[i, j] = cost + min(best[i - 1, j], best[i, j - 1], best[i - 1, j - 1])
    return -best[-1, -1] / (len(left) + len(right))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_alignment_is_the_cheapest_path_over_cells(left: list[int], right: list[int], seed: int) -> None:
    (ours, our_ends), (theirs, their_ends) = drawn(left, seed), drawn(right, seed + 1)
    candidates = np.tile(np.arange(len(right)), (len(left), 1))
    found = alignment_scores(CodeSequences.of(ours, our_ends), CodeSequences.of(theirs, their_ends), candidates)
    for i in range(len(left)):
        for j in range(len(right)):
            expected = looped(ours[our_ends[i] : our_ends[i + 1]], theirs[their_ends[j] : their_ends[j + 1]])
            assert found[i, j] == pytest.approx(expected, abs=1e-5)


def test_the_same_codes_at_another_pace_align_perfectly_and_in_another_order_do_not() -> None:
    letters = np.log(np.full((3, 3), 1e-9) + np.eye(3))
    slow = CodeSequences.of(np.repeat(letters, [4, 1, 3], axis=0), np.array([0, 8]))
    quick = CodeSequences.of(np.concatenate([letters, letters[[1, 0, 2]]]), np.array([0, 3, 6]))
    same, turned = alignment_scores(slow, quick, np.array([[0, 1]]))[0]
    assert same == pytest.approx(0, abs=1e-3)
    assert turned < -0.1


class TwoLetters:
    """Assigns a token one of two codes by its sign."""

    def token_codes(self, tokens: Tokens) -> np.ndarray:
        sure = np.where(tokens.vectors[:, :1] > 0, [0.0, -20.0], [-20.0, 0.0])
        return sure.astype(np.float32)


def test_reranking_puts_items_with_the_same_code_sequence_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def tokens(signs: list[list[int]], modality: str) -> Tokens:
        ends = np.cumsum([0, *map(len, signs)])
        vectors = np.concatenate(signs).astype(np.float32)[:, None]
        places = np.stack([np.arange(len(vectors)), np.arange(len(vectors)) + 1], axis=1).astype(np.float32)
        ids = list("abcde")[: len(signs)]
        return Tokens.from_arrays(vectors, ends, places, modality=modality, space="s", unit="seconds", ids=ids)

    queries = tokens([[1, -1, 1]], "audio")
    gallery = tokens([[-1, 1, -1], [1, 1, -1, -1, 1], [1, 1]], "video")
    hits = Hits(["a"], np.array([["a", "b", "c"]]), np.array([[0.5, 0.49, 0.3]], np.float32), np.array([[0, 1, 2]]))
    monkeypatch.setattr(CodeModel, "token_codes", TwoLetters.token_codes)
    found = rerank_by_codes(hits, CodeModel.__new__(CodeModel), queries, gallery)
    assert found.ids[0].tolist() == ["b", "a", "c"]
    assert found.rows[0].tolist() == [1, 0, 2]
    assert (np.diff(found.scores[0]) <= 0).all()
    unchanged = rerank_by_codes(hits, CodeModel.__new__(CodeModel), queries, gallery, weight=0.0)
    assert unchanged.ids[0].tolist() == ["a", "b", "c"]
