"""Health of one modality: every figure against NumPy loops in float64, every fault found, and healthy rows passed."""

from pathlib import Path

import numpy as np
import pytest

from isthmus.cli import main
from isthmus.embeddings import Embeddings, Health, health_of
from isthmus.embeddings.health import varying_directions

ROWS, DIM = 400, 64


def encoded(seed: int = 0, *, rank: int = DIM, rows: int = ROWS) -> np.ndarray:
    """Rows with a decaying spectrum and an offset, as encoders give them."""
    draw = np.random.default_rng(seed)
    spectrum = np.where(np.arange(DIM) < rank, np.arange(1, DIM + 1) ** -0.5, 0.0)
    turn = np.linalg.qr(draw.standard_normal((DIM, DIM)))[0]
    offset = draw.standard_normal(DIM)
    return ((draw.standard_normal((rows, DIM)) * spectrum + 0.2 * offset) @ turn).astype(np.float32)


def health(vectors: np.ndarray) -> Health:
    return health_of(Embeddings.from_array(vectors, modality="text", space="clip"))


def test_figures_equal_those_of_loops_over_rows() -> None:
    vectors = encoded(rows=60)
    vectors[7] = vectors[3]
    found = health(vectors)
    rows = [row / np.sqrt((row.astype(np.float64) ** 2).sum()) for row in vectors.astype(np.float64)]
    cosines = [rows[i] @ rows[j] for i in range(60) for j in range(60) if i != j]
    mean = sum(rows) / 60
    covariance = sum(np.outer(row - mean, row - mean) for row in rows)
    variances = np.linalg.eigvalsh(covariance)
    assert found.mean_cosine == pytest.approx(np.mean(cosines), abs=1e-5)
    assert found.effective_rank == pytest.approx(variances.sum() ** 2 / (variances**2).sum(), rel=1e-5)
    assert found.directions == (variances > variances.max() / 1000).sum()
    assert (found.repeated, found.most_alike, found.still, found.constant) == (1, (2, 1), 0, 0)


def test_healthy_rows_raise_nothing() -> None:
    found = health(encoded())
    assert (found.faults, found.notes) == ([], [])


def test_rows_of_a_strong_common_direction_are_not_called_collapsed() -> None:
    vectors = encoded() / np.linalg.norm(encoded(), axis=1, keepdims=True) + np.eye(DIM)[0] * 2
    found = health(vectors)
    assert 0.8 < found.mean_cosine < 0.9
    assert found.faults == []


def test_a_collapsed_tower_is_found() -> None:
    vectors = np.eye(DIM)[0] + 1e-3 * encoded()
    (fault,) = health(vectors).faults
    assert fault.startswith("collapsed: two rows have a mean cosine of 0.99") or "1.0000" in fault
    assert "embed again" in fault


def test_a_dead_tower_with_equal_rows_is_found() -> None:
    assert health(np.ones((80, DIM), np.float32) * np.arange(1, DIM + 1)).faults[0].startswith("collapsed")


def test_an_effective_rank_of_two_is_a_fault_and_one_of_ten_in_512_a_note() -> None:
    draw = np.random.default_rng(0)
    (fault,) = health(draw.standard_normal((ROWS, 2)) @ draw.standard_normal((2, DIM))).faults
    assert "of 64 directions" in fault
    coarse = health(draw.standard_normal((ROWS, 10)) @ draw.standard_normal((10, 512)))
    assert coarse.effective_rank == pytest.approx(10, abs=1.5)
    assert coarse.faults == []
    assert coarse.notes == ["the effective rank is far below the dimension: retrieval will be coarse"]


def test_a_vector_that_stands_for_many_items_is_a_fault_and_repeated_captions_are_a_note() -> None:
    vectors = encoded()
    vectors[np.arange(0, ROWS, 4)] = vectors[1]
    (fault,) = health(vectors).faults
    assert fault.startswith("101 of 400 rows are the same vector")
    captions = health(np.repeat(encoded(rows=80), 5, axis=0))
    assert captions.faults == []
    assert captions.notes == ["320 of 400 rows equal another row: normal for captions that repeat"]


def test_equal_rows_differ_by_the_rounding_of_half_precision_only() -> None:
    vectors = encoded(rows=100)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert health(np.concatenate([vectors, vectors.astype(np.float16)])).repeated == 100


def test_placeholders_and_coordinates_that_do_not_vary_are_counted() -> None:
    vectors = encoded()
    vectors[:3] = 0.25
    vectors[:, 40:] = 0.0
    vectors[:3, 40:] = 0.25
    found = health(vectors)
    assert found.constant == 3
    assert any("placeholders" in fault for fault in found.faults)
    padded = health(np.pad(encoded(), ((0, 0), (0, 32))))
    assert padded.still == 32
    assert "32 of 96 coordinates do not vary: the vectors may be padded" in padded.notes


def test_a_large_set_is_sampled_in_pairs_of_consecutive_rows() -> None:
    vectors = np.repeat(encoded(rows=1500), 8, axis=0)
    found = health(vectors)
    assert (found.rows, found.looked_at) == (12_000, 2000)
    assert found.repeated > 800


def test_inspect_prints_figures_and_faults(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    Embeddings.from_array(np.eye(DIM)[0] + 1e-3 * encoded(), modality="text", space="clip").save(tmp_path)
    main(["inspect", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "mean cosine of two rows 1.00" in printed
    assert "  broken: collapsed" in printed


@pytest.mark.parametrize("rank", [1, 5, 30])
def test_varying_directions_are_counted_to_a_thousandth_of_the_largest_variance(rank: int) -> None:
    assert varying_directions(encoded(rank=rank)) == rank
