"""Worlds of real vectors: their metrics against loops and scikit-learn, and a figure of their own README."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import isthmus
from isthmus.base.errors import IsthmusError
from real_files import write_real_files
from worlds.real import animals, miniclip, real_worlds
from worlds.real_world import RealWorld


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real_files(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def worlds(folder: Path) -> list[RealWorld]:
    return [miniclip(folder, 1), miniclip(folder, 1, "image"), animals(folder, 1)]


def cosines_of(world: RealWorld, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=world.relevant.shape)


def test_rows_that_are_scored_did_not_connect(worlds: list[RealWorld]) -> None:
    for world in worlds[:2]:
        shared = set(world.sides[0][world.overlap].ids)
        assert len(shared) == 80
        assert not shared & set(world.left.ids)
        assert set(world.sides[1][world.scored(1)].ids) == shared


def test_miniclip_scores_the_share_within_ten(worlds: list[RealWorld]) -> None:
    cosines = cosines_of(worlds[0])
    within = [sorted(row, reverse=True).index(row[i]) < 10 for own in (cosines, cosines.T) for i, row in enumerate(own)]
    assert worlds[0].score(cosines) == pytest.approx(100 * np.mean(within))


def test_animals_score_mean_average_precision_over_classes(worlds: list[RealWorld]) -> None:
    world, cosines = worlds[2], cosines_of(worlds[2])
    precision = np.array([average_precision_score(*pair) for pair in zip(world.relevant.T, cosines.T, strict=True)])
    assert world.classes is not None
    expected = np.mean([precision[world.classes == name].mean() for name in sorted(set(world.classes))])
    assert world.score(cosines) == pytest.approx(100 * expected)


def test_the_true_mrr_counts_each_counterpart_among_199_irrelevant_items(worlds: list[RealWorld]) -> None:
    for world in worlds:
        cosines, directions = cosines_of(world), []
        for scores, relevant in ((cosines, world.relevant), (cosines.T, world.relevant.T)):
            queries = []
            for row, wanted in zip(scores, relevant, strict=True):
                others = [score for score, own in zip(row, wanted, strict=True) if not own]
                ranks = [1 + 199 * sum(o >= s for o in others) / len(others) for s in row[wanted]]
                queries += [np.mean([1 / rank for rank in ranks])] if ranks else []
            directions.append(np.mean(queries))
        assert world.mrr200(cosines) == pytest.approx(np.mean(directions))


def test_the_pairs_of_animals_are_of_one_class(folder: Path) -> None:
    world = animals(folder, 0)
    data = np.load(folder / "animals.npz")
    assert world.pairs is not None
    heard = isthmus.Embeddings.from_array(data["audio_memory"], modality="audio", space="sounds").vectors
    for row, vector in zip(world.pairs[0].ids, world.pairs[1].vectors, strict=True):
        own = int((heard @ vector).argmax())
        assert data["image_memory_label"][int(row)] == data["audio_memory_label"][own]


def test_a_file_that_is_absent_or_incomplete_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=r"miniclip.npz: no such file: give the folder"):
        next(real_worlds(tmp_path, 0))
    np.savez(tmp_path / "miniclip.npz", image_a=np.ones((2, 2)))
    with pytest.raises(IsthmusError, match=r"miniclip.npz: lacks image_b, text_a, text_b: add"):
        miniclip(tmp_path, 0)


@pytest.mark.filterwarnings("ignore:the audio memory of 'sounds' varies along other directions")
def test_closed_forms_on_the_names_alone_reach_what_is_known_of_them(shared_data: Path) -> None:
    world = animals(shared_data / "real", seed=0)
    connector = isthmus.connect(*world.sides, method="procrustes", centring="mean")
    assert 56 <= world.score(connector.project(world.left).vectors @ connector.project(world.right).vectors.T) <= 58
