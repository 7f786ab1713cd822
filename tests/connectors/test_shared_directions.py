"""Whether a memory is of the model of its texts: the statistic against loops, real and synthetic worlds, rotations."""

from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus import Embeddings
from isthmus.cli import main
from isthmus.connectors.overlap.directions import covariance_correlation, shared_directions
from worlds.bank import bank_world

DIM = 96


def modality(name: str, vectors: np.ndarray, ids: object = None) -> Embeddings:
    return Embeddings.from_array(vectors, modality=name, space="clip", ids=ids)  # type: ignore[arg-type]


def turned(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """The rows after a rotation drawn at random, as if of another model of the same shape."""
    matrix, upper = np.linalg.qr(np.random.default_rng(seed).standard_normal((vectors.shape[1],) * 2))
    return vectors @ (matrix * np.sign(np.diag(upper)))


def of_one_space(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two modalities that share directions, each with private ones and an offset."""
    draw = np.random.default_rng(seed)
    shared, private = draw.standard_normal((10, DIM)), draw.standard_normal((2, 10, DIM))
    return tuple(  # type: ignore[return-value]
        draw.standard_normal((rows, 10)) @ shared
        + draw.standard_normal((rows, 10)) @ own
        + 3 * draw.standard_normal(DIM)
        for own in private
    )


def test_it_is_the_correlation_of_the_covariances_without_their_mean_variance() -> None:
    first, second = (rows - rows.mean(0) for rows in of_one_space(50))
    found = []
    for rows in (first, second):
        covariance = sum(np.outer(row, row) for row in rows) / len(rows)
        found.append(covariance - np.trace(covariance) / DIM * np.eye(DIM))
    expected = (found[0] * found[1]).sum() / np.sqrt((found[0] ** 2).sum() * (found[1] ** 2).sum())
    assert covariance_correlation(first, second) == pytest.approx(expected, abs=1e-12)


def test_mean_and_deviation_are_those_over_random_rotations() -> None:
    first, second = (modality(name, rows) for name, rows in zip(("text", "image"), of_one_space(), strict=True))
    found = [shared_directions(first, modality("image", turned(second.vectors, seed))).shared for seed in range(60)]
    deviation = shared_directions(first, second).deviation
    assert abs(np.mean(found)) < 3 * deviation / np.sqrt(60)
    assert np.std(found) == pytest.approx(deviation, rel=0.3)


@pytest.mark.parametrize("name", ["300 texts", "other content", "distorted, nonlinear"])
def test_memories_of_the_bank_pass_and_turned_ones_do_not(name: str) -> None:
    world = bank_world(name).world
    for texts, memory in ((world.left["text"], world.left["image"]), (world.right["text"], world.right["audio"])):
        assert not shared_directions(texts, memory).refuted
        assert shared_directions(texts, modality(memory.modality, turned(memory.vectors))).refuted


def test_memories_of_two_real_models_pass_and_exchanged_ones_do_not(shared_data: Path) -> None:
    with np.load(shared_data / "real" / "miniclip.npz") as data:
        rows = {name: modality(name[:-2], data[name]) for name in data.files}
    for own, other in (("a", "b"), ("b", "a")):
        assert not shared_directions(rows[f"text_{own}"], rows[f"image_{own}"]).refuted
        assert shared_directions(rows[f"text_{own}"], rows[f"image_{other}"]).refuted


def test_rows_or_dimensions_too_few_to_tell_raise_nothing() -> None:
    draw = np.random.default_rng(0)
    few = [modality(name, draw.standard_normal((40, DIM))) for name in ("text", "image")]
    assert not shared_directions(*few).refuted
    spectrum = np.arange(1, 9) ** -1.0
    narrow = draw.standard_normal((300, 8)) * spectrum
    assert not shared_directions(modality("text", narrow), modality("image", turned(narrow))).refuted


@pytest.mark.filterwarnings("ignore:the right side has no memory")
def test_connect_warns_of_a_memory_of_another_model() -> None:
    texts, images = of_one_space()
    right = texts @ np.random.default_rng(1).standard_normal((DIM, 70))
    sides = [
        {"text": modality("text", texts, range(300)), "image": modality("image", turned(images))},
        {"text": Embeddings.from_array(right, modality="text", space="clap", ids=range(300))},
    ]
    with pytest.warns(UserWarning, match="the image memory of 'clip' varies along other directions than its text rows"):
        isthmus.connect(*sides, method="procrustes")
    sides[0]["image"] = modality("image", images)
    assert isthmus.connect(*sides, method="procrustes").report is not None


def test_inspect_tells_a_memory_of_another_model(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    texts, images = of_one_space()
    for name, vectors in (("right", images), ("wrong", turned(images))):
        modality("text", texts).save(tmp_path / name)
        modality("image", vectors).save(tmp_path / name)
        main(["inspect", str(tmp_path / name)])
        printed = capsys.readouterr().out
        assert "correlation of their covariances" in printed
        assert ("embedded with another model" in printed) == (name == "wrong")
