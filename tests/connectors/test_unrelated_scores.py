"""Scores of unrelated items against a count in NumPy, saved and loaded, and the names of pairs."""

from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus import Connector, Embeddings, UnrelatedScores
from isthmus.base.errors import IsthmusError
from two_sides import two_spaces

SAVED = Path(__file__).parents[1] / "saved_by_0_1"
PAIR = ("image", "audio")


def rows(modality: str, seed: int, *, count: int = 400, space: str = "joint", prefix: str = "") -> Embeddings:
    vectors = np.random.default_rng(seed).standard_normal((count, 6)) + 0.3
    ids = [f"{prefix}{number}" for number in range(count)]
    return Embeddings.from_array(vectors, modality=modality, space=space, ids=ids)


@pytest.fixture(scope="module")
def connector() -> Connector:
    return isthmus.connect(*two_spaces(left_space="clip", right_space="clap"), method="cca")


def cosines(one: Embeddings, other: Embeddings) -> list[float]:
    """Every pair in float64, without those of equal ids."""
    left, right = one.vectors.astype(np.float64), other.vectors.astype(np.float64)
    names = [(i, j) for i in range(len(one)) for j in range(len(other)) if one.ids[i] != other.ids[j]]
    return [float(left[i] @ right[j]) for i, j in names]


@pytest.mark.parametrize("prefix", ["", "other "])
def test_a_percentile_is_the_share_of_unrelated_pairs_that_score_lower(prefix: str) -> None:
    images, sounds = rows("image", 0), rows("audio", 1, prefix=prefix)
    sounds = sounds.with_vectors(np.concatenate([images.vectors[:20], sounds.vectors[20:]]), space="joint")
    scores, known = UnrelatedScores.of(images, sounds), np.sort(cosines(images, sounds))
    assert (known[-1] > 0.999) == bool(prefix)
    for exceeded in (0.9, 0.5, 0.1, 0.01, 0.001):
        asked = float(np.quantile(known, 1 - exceeded))
        assert scores.percentile(asked, PAIR) == pytest.approx(1 - exceeded, abs=0.02 * min(exceeded, 1 - exceeded))
        cut = scores.cutoff(exceeded, PAIR)
        assert np.mean(known >= cut) == pytest.approx(exceeded, rel=0.02)
    between = np.linspace(-0.9, 0.95, 300)
    counted = np.array([np.mean(known < score) for score in between])
    np.testing.assert_allclose(scores.percentile(between, PAIR), counted, atol=0.01)
    assert scores.percentile(0.4, PAIR) == scores.percentile(0.4, PAIR[::-1])


def test_items_of_one_modality_are_compared_with_each_other_but_not_with_themselves() -> None:
    images = rows("image", 0)
    known = np.sort(cosines(images, images))
    scores = UnrelatedScores.of(images)
    assert np.mean(known >= scores.cutoff(0.01, ("image", "image"))) == pytest.approx(0.01, rel=0.02)


def test_a_cutoff_is_refused_where_the_sample_cannot_tell() -> None:
    scores = UnrelatedScores.of(rows("image", 0, count=60), rows("audio", 1, count=60, prefix="a"))
    assert scores.smallest_rate(PAIR) == 0.05
    with pytest.raises(IsthmusError, match=r"false-positive rate 0.01: 3600 scores .* rates from 0.05 to below 1"):
        scores.cutoff(0.01, PAIR)
    for rate in (0.0, 1.0, float("nan")):
        with pytest.raises(IsthmusError, match="false-positive rate"):
            scores.cutoff(rate, PAIR)
    assert scores.cutoff(0.999, PAIR) < scores.cutoff(0.9, PAIR)


def test_a_connector_has_the_scores_of_all_pairs_of_its_modalities(connector: Connector) -> None:
    left, right = two_spaces(left_space="clip", right_space="clap")
    assert connector.scores.modalities == ("audio", "image", "text of clap", "text of clip")
    assert len(connector.scores.tables) == 10
    projected = {
        ("audio", "image"): (right["audio"], left["image"]),
        ("text of clip", "text of clap"): (left["text"], right["text"]),
        ("text of clip", "image"): (left["text"], left["image"]),
    }
    for pair, sides in projected.items():
        one, other = map(connector.project, sides)
        assert (connector.scores.name_of(one), connector.scores.name_of(other)) == pair
        known = cosines(one, other)
        assert np.mean(known >= np.float64(connector.scores.cutoff(0.05, pair))) == pytest.approx(0.05, rel=0.02)


def test_scores_are_saved_with_the_connector(connector: Connector, tmp_path: Path) -> None:
    loaded = Connector.load(connector.save(tmp_path))
    assert loaded.scores == connector.scores
    assert loaded.space == connector.space


def test_connectors_saved_before_say_that_they_have_none() -> None:
    old = Connector.load(SAVED / "connector-cca")
    for ask in (lambda: old.scores.percentile(0.5, PAIR), lambda: old.scores.cutoff(0.01, PAIR)):
        with pytest.raises(IsthmusError, match=r"there are no scores of unrelated items, .*: connect again"):
            ask()
    graph = isthmus.SpaceGraph.load(SAVED / "graph-joint")
    with pytest.raises(IsthmusError, match="there are no scores of unrelated items"):
        graph.scores.percentile(0.5, PAIR)


def test_unknown_and_ambiguous_modalities_are_named(connector: Connector) -> None:
    with pytest.raises(IsthmusError, match="no scores of unrelated 'points' items: the connector has those of audio"):
        connector.scores.cutoff(0.1, ("points", "image"))
    with pytest.raises(IsthmusError, match=r"'text' is in two spaces, .*: say 'text of clap' or 'text of clip'"):
        connector.scores.cutoff(0.1, ("text", "image"))
    with pytest.raises(IsthmusError, match="name two, those of query and gallery"):
        connector.scores.cutoff(0.1, ("image",))


def test_parts_of_different_spaces_are_refused() -> None:
    with pytest.raises(IsthmusError, match="are of different spaces: project both with one connector"):
        UnrelatedScores.of(rows("image", 0), rows("audio", 1, space="other"))
    with pytest.raises(IsthmusError, match="two parts are of one modality and space"):
        UnrelatedScores.of(rows("image", 0), rows("image", 1))


def test_scores_that_are_all_alike_give_no_distribution() -> None:
    same = Embeddings.from_array(np.ones((50, 4)), modality="image", space="joint", ids=range(50))
    scores = UnrelatedScores.of(same, rows("audio", 1).with_vectors(np.eye(4)[[0] * 400], space="joint"))
    with pytest.raises(IsthmusError, match="there are no scores of unrelated"):
        scores.percentile(0.3, PAIR)


@pytest.mark.parametrize("count", [200, 800])
def test_counterparts_under_other_ids_do_not_count_as_unrelated_neighbours(count: int) -> None:
    draw = np.random.default_rng(0)
    shared, others = draw.standard_normal((2, count, 24))

    def items(modality: str, meaning: np.ndarray) -> Embeddings:
        vectors = meaning + 0.5 * draw.standard_normal(meaning.shape)
        ids = [f"{modality} {number}" for number in range(count)]
        return Embeddings.from_array(vectors, modality=modality, space="joint", ids=ids)

    images, counterparts, unrelated = items("image", shared), items("audio", shared), items("audio", others)
    found = UnrelatedScores.of(images, counterparts).chance_neighbours(images, counterparts)
    assert found == pytest.approx(UnrelatedScores.of(images, unrelated).chance_neighbours(images, unrelated), abs=0.1)
