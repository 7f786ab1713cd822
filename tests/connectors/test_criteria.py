"""Criteria against what they must say of connectors whose quality is known."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus.connectors.choosing.criteria import (
    counterpart_mrr,
    found_first,
    linear_projection,
    mutual_neighbours,
    reciprocal_ranks,
    score,
)
from isthmus.connectors.choosing.evidence import gather_evidence
from isthmus.connectors.methods.closed_forms import cca, moments
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import CentredMaterials, centred_materials
from worlds.synthetic import SyntheticRecipe, synthetic_world


@pytest.fixture(scope="module")
def small_view() -> CentredMaterials:
    world = synthetic_world("small", SyntheticRecipe(texts=500, memory=400, gallery=50), seed=3)
    return centred_materials(assemble(world.left, world.right, "text"), "matched", torch.arange(500))


def test_reciprocal_ranks_agree_with_a_loop_and_scale_to_a_gallery() -> None:
    scores = torch.randn(12, 31, generator=torch.Generator().manual_seed(0))
    target = torch.arange(12)
    found, scaled = reciprocal_ranks(scores, target), reciprocal_ranks(scores, target, gallery=11)
    for row in range(12):
        above = sum(value >= scores[row, row] for value in scores[row]) - 1
        assert found[row].item() == pytest.approx(1 / (1 + above))
        assert scaled[row].item() == pytest.approx(1 / (1 + above * 10 / 30))


def test_twins_of_identical_rows_come_first_and_of_unrelated_rows_at_chance() -> None:
    draw = torch.Generator().manual_seed(1)
    rows = functional.normalize(torch.randn(300, 40, generator=draw), dim=-1)
    others = functional.normalize(torch.randn(300, 40, generator=draw), dim=-1)
    chance = float((1 / torch.arange(1, 301)).mean())
    assert counterpart_mrr(rows, rows) == 1.0
    assert counterpart_mrr(rows, others) == pytest.approx(chance, rel=0.6)


def test_mutual_neighbours_agree_with_a_loop() -> None:
    scores = torch.randn(9, 14, generator=torch.Generator().manual_seed(2)).numpy()
    there = np.mean([scores[:, scores[i].argmax()].argmax() == i for i in range(9)])
    back = np.mean([scores[scores[:, j].argmax()].argmax() == j for j in range(14)])
    assert mutual_neighbours(torch.from_numpy(scores)) == pytest.approx((there + back) / 2)


def test_found_first_is_one_where_both_rank_alike() -> None:
    scores = torch.randn(7, 20, generator=torch.Generator().manual_seed(4))
    assert found_first(scores, 3 * scores + 1) == 1.0


def test_every_criterion_prefers_a_fitted_connector_to_random_maps(small_view: CentredMaterials) -> None:
    rows = torch.arange(500)
    fitted, held = rows[100:], rows[:100]
    evidence = gather_evidence(small_view, fitted, held, seed=0)
    maps = cca(moments(small_view.pairs("both", fitted)), (0.003, 0.003), 1.0)
    draw = torch.Generator().manual_seed(5)
    random = tuple(torch.randn(side.shape[1], 64, generator=draw) for side in small_view.texts)
    good, bad = score(evidence, linear_projection(maps)), score(evidence, linear_projection((random[0], random[1])))
    assert all(0 <= value <= 1 for value in good.values())
    # Unrelated items are mutual neighbours too: that figure only means something beside the others.
    for name in good.keys() - {"mutual_neighbours"}:
        assert good[name] > bad[name] + 0.05, name


def test_evidence_never_holds_a_fitted_text(small_view: CentredMaterials) -> None:
    rows = torch.arange(500)
    evidence = gather_evidence(small_view, rows[100:], rows[:100], seed=0)
    torch.testing.assert_close(evidence.texts[0], small_view.texts[0][:100])
