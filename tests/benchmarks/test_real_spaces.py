"""What is measured in a world of real vectors, and in which worlds methods are trained."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import isthmus
from real_files import write_real_files
from real_spaces import Wanted, cosines, in_turn, measured, paired_oracle
from worlds.real import miniclip
from worlds.real_world import RealWorld

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> RealWorld:
    return miniclip(write_real_files(tmp_path_factory.mktemp("real")), 0)


@pytest.mark.slow
def test_a_row_has_the_scores_of_methods_and_the_true_mrr_of_auto(world: RealWorld) -> None:
    row = measured((0, world), Wanted(("auto", "cca"), compared=False))
    for method in ("auto", "cca"):
        connector = isthmus.connect(*world.sides, overlap="text", method=method, seed=0, device="cpu")
        assert row[method] == pytest.approx(world.score(cosines(connector, world)))
        if method == "auto":
            assert row["true"] == pytest.approx(world.mrr200(cosines(connector, world)))
    assert row["low"] is None or row["low"] <= row["middle"] <= row["high"]
    assert row["verdict"]
    assert "best" not in row


def test_the_oracle_sees_true_pairs_only(world: RealWorld) -> None:
    """With the right pairs turned, it finds little of what it found."""
    assert world.pairs is not None
    left, right = world.pairs
    turned = right.with_vectors(right.vectors[::-1], space=right.space)
    found, wrong = paired_oracle(world), paired_oracle(replace(world, pairs=(left, turned)))
    assert found is not None
    assert wrong is not None
    assert found > wrong + 20
    assert paired_oracle(replace(world, pairs=None)) is None


def test_methods_are_trained_in_unchanged_worlds_unless_asked_for(world: RealWorld) -> None:
    changed = replace(world, change="int8")
    assert list(Wanted(("cca", "cmcr")).of(world)) == ["cca", "cmcr"]
    assert list(Wanted(("cca", "cmcr")).of(changed)) == ["cca"]
    assert list(Wanted(("cca", "cmcr"), trained_everywhere=True).of(changed)) == ["cca", "cmcr"]


def test_rows_come_in_turn_and_few_worlds_are_drawn_ahead(world: RealWorld) -> None:
    taken = []

    def tasks():
        for seed in range(30):
            taken.append(seed)
            yield seed, world

    with ThreadPoolExecutor(2) as threads:
        rows = in_turn(threads, lambda task: {"seed": task[0]}, tasks())
        assert next(rows) == {"seed": 0}
        assert len(taken) < 15
        assert [row["seed"] for row in rows] == list(range(1, 30))
