"""Agreement of two sides: the statistic against NumPy loops, its power, false alarms, and what connect does with it."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus import Embeddings, IsthmusError
from isthmus.cli import main
from isthmus.connectors.overlap.agreement import Agreement, agreement, row_agreement
from worlds.bank import bank_world

SHUFFLES = 200


def sides(rows: int = 400, *, noise: float = 1.0, rank: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two noisy linear views of one meaning with a decaying spectrum, each with an offset."""
    draw = np.random.default_rng(seed)
    meaning = draw.standard_normal((rows, rank)) * np.arange(1, rank + 1) ** -0.5

    def view(dim: int) -> np.ndarray:
        shown = meaning @ draw.standard_normal((rank, dim))
        shown = shown + noise * shown.std() * draw.standard_normal(shown.shape) + draw.standard_normal(dim)
        return shown / np.linalg.norm(shown, axis=1, keepdims=True)

    return view(40), view(30)


def texts(vectors: np.ndarray, space: str, ids: object = None) -> Embeddings:
    given = range(len(vectors)) if ids is None else ids
    return Embeddings.from_array(vectors, modality="text", space=space, ids=given)  # type: ignore[arg-type]


def cosines_of_pairs(rows: np.ndarray) -> list[float]:
    mean = sum(rows) / len(rows)
    unit = [(row - mean) / np.sqrt(((row - mean) ** 2).sum()) for row in rows.astype(np.float64)]
    return [float(unit[i] @ unit[j]) for i in range(len(unit)) for j in range(len(unit)) if i != j]


def test_the_correlation_is_pearsons_over_the_cosines_of_all_pairs() -> None:
    left, right = sides(30)
    expected = np.corrcoef(cosines_of_pairs(left), cosines_of_pairs(right))[0, 1]
    assert row_agreement(left, right).correlation == pytest.approx(expected, abs=1e-12)


def test_mean_and_deviation_are_those_over_every_permutation() -> None:
    left, right = sides(6, seed=3)
    found = [row_agreement(left, right[list(order)]).correlation for order in itertools.permutations(range(6))]
    assert np.mean(found) == pytest.approx(0, abs=1e-12)
    assert row_agreement(left, right).deviation == pytest.approx(np.std(found), rel=1e-9)


@pytest.mark.parametrize("shown", ["noisy", "one direction", "repeated texts"])
def test_shuffled_ids_do_not_agree_in_200_shuffles(shown: str) -> None:
    left, right = sides(300)
    if shown == "one direction":
        left = np.outer(left[:, 0], np.arange(1, 41)) + 1e-3 * left
    if shown == "repeated texts":
        drawn = np.random.default_rng(1).zipf(1.5, 300) % 300
        left, right = left[drawn], right[drawn]
    draw = np.random.default_rng(2)
    wrong = [row_agreement(left, right[draw.permutation(300)]) for _ in range(SHUFFLES)]
    assert sum(one.found for one in wrong) <= 1
    assert row_agreement(left, right).found


@pytest.mark.parametrize("name", ["plain", "both low rank", "few labels", "a third wrong", "most wrong"])
def test_worlds_of_the_bank_agree_and_their_shuffled_ids_do_not(name: str) -> None:
    world = bank_world(name).world
    left, right = world.left["text"], world.right["text"]
    assert agreement(left, right).found
    order = np.random.default_rng(0).permutation(len(right))
    shuffled = Embeddings.from_array(right.vectors[order], modality="text", space="right", ids=right.ids)
    assert agreement(left, shuffled).refuted


def test_two_weak_models_of_real_captions_agree(shared_data: Path) -> None:
    with np.load(shared_data / "real" / "miniclip.npz") as data:
        left, right = data["text_a"], data["text_b"]
    found = agreement(texts(left, "a"), texts(right, "b"))
    assert found.score > 20
    assert found.correlation == pytest.approx(0.06, abs=0.02)
    assert agreement(texts(left, "a"), texts(right[::-1], "b")).refuted


def test_rows_are_matched_by_id_and_repeats_count_once() -> None:
    left, right = sides(300)
    order = np.random.default_rng(0).permutation(300)
    moved = agreement(texts(left, "clip"), texts(right[order], "clap", order))
    assert moved.correlation == pytest.approx(row_agreement(left, right).correlation, abs=1e-5)
    repeated = agreement(texts(np.repeat(left, 2, 0), "clip"), texts(np.repeat(right, 2, 0), "clap"))
    assert (repeated.rows, repeated.correlation) == (300, pytest.approx(moved.correlation, abs=1e-5))


def test_repeats_alone_are_no_agreement() -> None:
    """Two encoders that give each text its own random vector agree on repeated texts, and on nothing else."""
    draw = np.random.default_rng(0)
    drawn = np.repeat(np.arange(300), 3)
    left, right = draw.standard_normal((300, 20))[drawn], draw.standard_normal((300, 20))[drawn]
    assert row_agreement(left, right).found
    assert agreement(texts(left, "clip"), texts(right, "clap")).refuted


def test_few_rows_may_be_too_few_to_tell() -> None:
    draw = np.random.default_rng(0)
    found = agreement(texts(draw.standard_normal((40, 8)), "clip"), texts(draw.standard_normal((40, 8)), "clap"))
    assert not found.found
    assert not found.refuted
    assert str(found).startswith("too few rows to tell: correlation of the cosines of 40 rows")
    assert agreement(*(texts(own[:40], space) for own, space in zip(sides(), ("a", "b"), strict=True))).found
    assert agreement(texts(np.eye(5), "clip"), texts(np.eye(5), "clap")) == Agreement(5, 0.0, 0.0)


def connected(left: np.ndarray, right: np.ndarray, **options: bool) -> isthmus.Connector:
    return isthmus.connect(
        {"text": texts(left, "clip")}, {"text": texts(right, "clap")}, method="procrustes", **options
    )


@pytest.mark.filterwarnings("ignore:the .* side has no memory")
def test_connect_stops_at_shuffled_ids_unless_forced() -> None:
    left, right = sides()
    assert connected(left, right).report is not None
    order = np.random.default_rng(0).permutation(len(right))
    with pytest.raises(IsthmusError, match=r"the text rows of 'clip' and 'clap' agree no better than shuffled ids"):
        connected(left, right[order])
    with pytest.warns(UserWarning, match="agree no better than shuffled ids .*connected all the same, as force asks"):
        assert connected(left, right[order], force=True).report is not None
    with pytest.warns(UserWarning, match="60 different rows are too few to tell"):
        connected(left[:60], right[order][:60])


@pytest.mark.filterwarnings("ignore:the .* side has no memory")
def test_partly_wrong_ids_do_not_stop_it() -> None:
    left, right = sides()
    wrong = np.random.default_rng(0).permutation(400)[:200]
    right[wrong] = right[np.roll(wrong, 1)]
    assert connected(left, right).report is not None


@pytest.mark.filterwarnings("ignore:the .* side has no memory")
@pytest.mark.parametrize("method", ["cca", pytest.param("exmcr", marks=pytest.mark.slow)])
def test_a_graph_stops_at_shuffled_ids_of_any_edge_unless_forced(method: str) -> None:
    left, right = sides()
    third = sides(seed=5)[0]
    brief = {"optimisation": {"epochs": 1, "min_steps": 2}} if method == "exmcr" else {}
    sets = [{"text": texts(own, name)} for own, name in ((left, "clip"), (right, "clap"), (third, "ulip"))]
    with pytest.raises(IsthmusError, match=r"the text rows of 'cl.p' and 'ulip' agree no better than shuffled ids"):
        isthmus.connect_graph(sets, method=method, device="cpu", **brief)
    with pytest.warns(UserWarning, match="connected all the same"):
        assert isthmus.connect_graph(sets, method=method, device="cpu", force=True, **brief).spaces


@pytest.mark.filterwarnings("ignore:the .* side has no memory", "default:.*as force asks")
def test_the_command_stops_and_goes_on_with_force(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    left, right = sides()
    texts(left, "clip").save(tmp_path / "clip")
    texts(right[::-1].copy(), "clap").save(tmp_path / "clap")
    given = ["connect", str(tmp_path / "clip"), str(tmp_path / "clap"), "--method", "procrustes", "--out"]
    with pytest.raises(SystemExit) as ended:
        main([*given, str(tmp_path / "joint")])
    error = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert "agree no better than shuffled ids" in error
    assert "--force" in error
    main([*given, str(tmp_path / "joint"), "--force"])
    assert "as force asks" in capsys.readouterr().err
    assert isthmus.Connector.load(tmp_path / "joint").report is not None


def test_inspect_compares_two_sets(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    left, right = sides()
    order = np.random.default_rng(0).permutation(400)
    texts(left, "clip").save(tmp_path / "clip")
    texts(right, "clap").save(tmp_path / "clap")
    texts(right[order], "mixed").save(tmp_path / "mixed")
    main(["inspect", str(tmp_path / "clip"), str(tmp_path / "clap")])
    main(["inspect", str(tmp_path / "clip"), str(tmp_path / "mixed")])
    agreeing, shuffled = (line for line in capsys.readouterr().out.splitlines() if line.startswith("text of 'clip'"))
    assert "and 'clap': agree: correlation of the cosines of 400 rows on both sides 0." in agreeing
    assert "and 'mixed': no better than shuffled ids" in shuffled
    Embeddings.from_array(right, modality="audio", space="clap").save(tmp_path / "sounds")
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path / "clip"), str(tmp_path / "sounds")])
    assert "have no modality in common" in capsys.readouterr().err
