"""Percentiles of hits, cut-offs, and searches in several galleries at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus import Embeddings, Index, MixedIndex, UnrelatedScores
from isthmus.base.errors import IsthmusError
from isthmus.metrics import ScoreDistribution

GALLERIES = ("image", "audio")


def rows(modality: str, seed: int, *, count: int = 300, offset: float = 0.0, space: str = "joint") -> Embeddings:
    vectors = np.random.default_rng(seed).standard_normal((count, 6)) + offset
    return Embeddings.from_array(vectors, modality=modality, space=space, ids=[f"{seed}-{i}" for i in range(count)])


TEXTS, IMAGES, SOUNDS = rows("text", 0, offset=0.3), rows("image", 1, offset=0.3), rows("audio", 2, offset=-0.1)
SCORES = UnrelatedScores.of(TEXTS, IMAGES, SOUNDS)


def far_apart(seed: int = 3) -> dict[str, Embeddings]:
    """Galleries with items far in the tail, where percentiles are 1 for both."""
    near = TEXTS.vectors[:4] + 0.01 * np.random.default_rng(seed).standard_normal((4, 6))
    found = {}
    for own in (IMAGES, SOUNDS):
        vectors = np.concatenate([near, own.vectors])
        ids = range(len(vectors))
        found[own.modality] = Embeddings.from_array(vectors, modality=own.modality, space="joint", ids=ids)
    return found


def test_hits_have_the_share_of_unrelated_pairs_that_score_lower() -> None:
    hits = Index(IMAGES, scores=SCORES).search(TEXTS, k=5)
    plain = Index(IMAGES).search(TEXTS, k=5)
    assert plain.percentiles is None
    np.testing.assert_array_equal(hits.rows, plain.rows)
    known = np.sort((TEXTS.vectors @ IMAGES.vectors.T).ravel())
    counted = np.searchsorted(known, hits.scores) / len(known)
    np.testing.assert_allclose(hits.percentiles, counted, atol=0.005)
    (_, found), line = next(iter(hits)), hits.to_dicts()[0]
    assert found[0].percentile == line["percentile"] == hits.percentiles[0, 0]
    assert list(hits.to_pandas().columns) == ["query", "rank", "id", "score", "row", "percentile"]


def test_a_false_positive_rate_leaves_the_hits_above_its_cutoff() -> None:
    cut = SCORES.cutoff(0.01, ("text", "image"))
    hits = Index(IMAGES, scores=SCORES).search(TEXTS, k=8, false_positive_rate=0.01)
    every = Index(IMAGES).search(TEXTS, k=8)
    kept = every.scores >= cut
    assert 0 < kept.sum() < kept.size
    assert [[hit.id for hit in found] for _, found in hits] == [
        list(ids[mask]) for ids, mask in zip(every.ids, kept, strict=True)
    ]
    np.testing.assert_array_equal(hits.rows, np.where(kept, every.rows, -1))
    assert np.isnan(hits.scores[~kept]).all()
    assert all(name is None for name in hits.ids[~kept])
    assert len(hits.to_dicts()) == len(hits.to_pandas()) == kept.sum()


def test_hits_of_several_galleries_are_in_the_order_of_their_percentiles() -> None:
    parts = {"photos": IMAGES, "sounds": SOUNDS}
    hits = MixedIndex(parts, scores=SCORES).search(TEXTS, k=20)
    every = []
    for name, own in parts.items():
        cosines = TEXTS.vectors @ own.vectors.T
        shares = np.asarray(SCORES.percentile(cosines, ("text", own.modality)))
        every.append([[(share, name, own.ids[n]) for n, share in enumerate(line)] for line in shares])
    for number, (query, found) in enumerate(hits):
        assert query == TEXTS.ids[number]
        best = sorted(every[0][number] + every[1][number], reverse=True)[:20]
        np.testing.assert_allclose([hit.percentile for hit in found], [share for share, *_ in best], atol=1e-6)
        assert {(hit.gallery, hit.id) for hit in found[:10]} == {(name, own) for _, name, own in best[:10]}


def test_ids_may_repeat_between_galleries() -> None:
    again = Embeddings.from_array(SOUNDS.vectors, modality="audio", space="joint", ids=IMAGES.ids)
    index = MixedIndex({"image": IMAGES, "audio": again}, scores=SCORES)
    assert len(index) == 600
    hits = index.search(TEXTS, k=600)
    assert hits.ids.shape == (300, 600)
    for _, found in hits:
        assert len({(hit.gallery, hit.id) for hit in found}) == 600


def test_far_in_the_tail_the_order_within_a_gallery_stays_that_of_the_cosines() -> None:
    galleries = far_apart()
    hits = MixedIndex(galleries, scores=SCORES).search(TEXTS.take(np.arange(4)), k=200)
    assert hits.percentiles is not None
    assert hits.galleries is not None
    assert hits.percentiles[:, 1].min() > 0.999
    for name, own in galleries.items():
        alone = Index(own).search(TEXTS.take(np.arange(4)), k=200)
        for number in range(4):
            mine = hits.rows[number][hits.galleries[number] == name]
            np.testing.assert_array_equal(mine, alone.rows[number][: len(mine)])
    assert set(hits.galleries[:, :2].ravel()) == set(GALLERIES)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(20, 3000),
    st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=50, unique=True),
)
def test_log_odds_rise_with_the_score_everywhere(seed: int, count: int, scores: list[float]) -> None:
    draw = np.random.default_rng(seed)
    known = ScoreDistribution.of(np.tanh(draw.standard_normal(count * 20) * draw.uniform(0.01, 1)).astype(np.float32))
    assert known is not None
    rising = np.sort(np.float32(scores))
    odds = known.log_odds(rising)
    slack = 1e-9 * np.abs(odds).max()
    assert (np.diff(odds) >= -slack).all()
    apart = np.diff(rising) > 1e-4
    assert (np.diff(odds)[apart] > 0).all()


def test_csls_and_percentiles_exclude_each_other() -> None:
    with pytest.raises(IsthmusError, match="are of cosines, not of CSLS scores"):
        Index(IMAGES, scores=SCORES).search(TEXTS, csls=True)


def test_what_has_no_scores_is_refused() -> None:
    with pytest.raises(IsthmusError, match=r"a false-positive rate needs scores .*scores=connector.scores"):
        Index(IMAGES).search(TEXTS, false_positive_rate=0.1)
    with pytest.raises(IsthmusError, match="no scores of unrelated 'points' items: the connector has those of audio"):
        Index(IMAGES, scores=SCORES).search(rows("points", 5))
    with pytest.raises(IsthmusError, match="of 'joint': project them with the connector that the scores belong to"):
        Index(rows("image", 1, space="other"), scores=SCORES)
    with pytest.raises(IsthmusError, match="percentiles of image items and takes no audio items: use a MixedIndex"):
        Index(IMAGES, scores=SCORES).add(SOUNDS)
    with pytest.raises(IsthmusError, match="there are no galleries"):
        MixedIndex({}, scores=SCORES)
    with pytest.raises(IsthmusError, match="there are no scores of unrelated items, the connector is from an earlier"):
        Index(IMAGES, scores=UnrelatedScores()).search(TEXTS)


def test_items_unlike_those_that_were_connected_are_told() -> None:
    towards = Embeddings.from_array(TEXTS.vectors + 1, modality="text", space="joint")
    unlike = Embeddings.from_array(IMAGES.vectors + 1, modality="image", space="joint")
    with pytest.warns(UserWarning, match=r"\d\d % of all text-image pairs score above the 90th percentile"):
        Index(unlike, scores=SCORES).search(towards, k=3)
    measured = UnrelatedScores.of(towards, unlike)
    Index(unlike, scores=measured).search(towards, k=3)


def test_no_queries_and_no_items_give_no_hits() -> None:
    none = TEXTS.take(np.array([], int))
    assert MixedIndex({"image": IMAGES}, scores=SCORES).search(none, k=2).ids.shape == (0, 2)
    empty = IMAGES.take(np.array([], int))
    assert MixedIndex({"image": empty}, scores=SCORES).search(TEXTS, k=2).ids.shape == (300, 0)
