"""The chain of measured steps against loops and closed forms, and simulated items against what they must resemble."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus.connectors.choosing.chain import chain_of, counterpart_mrr, reciprocal_ranks, unmatched_share
from isthmus.connectors.choosing.evidence import Evidence, gather_evidence, simulated_items
from isthmus.connectors.config import CcaConfig
from isthmus.connectors.member import blend_projection
from isthmus.connectors.methods.linear import fit_linear
from isthmus.connectors.overlap.materials import Materials, assemble
from worlds.synthetic import SyntheticRecipe, synthetic_world


@pytest.fixture(scope="module")
def materials() -> Materials:
    world = synthetic_world("small", SyntheticRecipe(texts=500, memory=400, gallery=50), seed=3)
    return assemble(world.left, world.right, "text")


@pytest.fixture(scope="module")
def evidence(materials: Materials) -> Evidence:
    found = gather_evidence(materials, torch.arange(100, 500), torch.arange(100), seed=0)
    assert found is not None
    return found


def test_reciprocal_ranks_agree_with_a_loop_and_scale_to_a_gallery() -> None:
    scores = torch.randn(31, 31, generator=torch.Generator().manual_seed(0))
    found, scaled = reciprocal_ranks(scores), reciprocal_ranks(scores, gallery=200)
    for row in range(31):
        above = sum(value >= scores[row, row] for value in scores[row]) - 1
        assert found[row].item() == pytest.approx(1 / (1 + above))
        assert scaled[row].item() == pytest.approx(1 / (1 + above * 199 / 30))


def test_counterparts_of_identical_rows_come_first_and_of_unrelated_rows_at_chance() -> None:
    draw = torch.Generator().manual_seed(1)
    rows, others = (functional.normalize(torch.randn(300, 40, generator=draw), dim=-1) for _ in range(2))
    chance = float((1 / torch.arange(1, 301)).mean())
    assert counterpart_mrr(rows, rows) == 1.0
    assert counterpart_mrr(rows, others) == pytest.approx(chance, rel=0.6)


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.6])
def test_the_share_of_pairs_matched_at_random_is_found(wrong: float) -> None:
    """Pairs whose right rows were exchanged rank their counterparts anywhere; the others come first."""
    draw = torch.Generator().manual_seed(2)
    left = functional.normalize(torch.randn(1000, 60, generator=draw), dim=-1)
    right, count = left.clone(), int(1000 * wrong)
    right[:count] = right[:count].roll(1, 0)
    assert unmatched_share(left @ right.T) == pytest.approx(wrong, abs=0.05)


def test_equal_scores_are_neither_matched_nor_wrong() -> None:
    assert unmatched_share(torch.zeros(40, 40)) == pytest.approx(1.0)


def test_every_step_prefers_a_fitted_connector_to_random_maps(materials: Materials, evidence: Evidence) -> None:
    good = chain_of(
        evidence, blend_projection((fit_linear(materials.taken(np.arange(100, 500)), CcaConfig()),), (1.0,))
    )
    draw = torch.Generator().manual_seed(5)
    maps = [torch.randn(side.overlap.dim, 64, generator=draw) for side in (materials.left, materials.right)]
    bad = chain_of(evidence, lambda rows, side, modality: functional.normalize(rows @ maps[side], dim=-1))
    for name in ("texts", "one_item", "items"):
        assert getattr(good, name) > getattr(bad, name) + 0.2
    assert good.unmatched < 0.1
    assert bad.unmatched > 0.8
    assert good.texts > good.one_item > good.items


def test_evidence_never_holds_a_fitted_text(materials: Materials, evidence: Evidence) -> None:
    np.testing.assert_array_equal(evidence.texts[0].numpy(), materials.left.overlap.vectors[:100])


@pytest.mark.parametrize(("items", "dim"), [(5000, 30), (20, 60)])
def test_simulated_items_have_the_memorys_mean_and_covariance(items: int, dim: int) -> None:
    """Whether the memory has more items than dimensions or fewer."""
    draw = torch.Generator().manual_seed(0)
    scale, offset = torch.linspace(1, 0.2, dim), torch.ones(dim)
    memory = functional.normalize(offset + 0.5 * torch.randn(items, dim, generator=draw) * scale, dim=-1)
    known = functional.normalize(-offset + 0.5 * torch.randn(items, dim, generator=draw) * scale, dim=-1)
    texts = functional.normalize(-offset + 0.5 * torch.randn(20_000, dim, generator=draw) * scale, dim=-1)
    found = simulated_items(texts, known, memory, draw)
    assert (found.mean(0) - memory.mean(0)).norm() < 0.1 * (memory - memory.mean(0)).norm(dim=1).mean()
    expected = torch.cov(memory.T)
    assert (torch.cov(found.T) - expected).norm() < 0.25 * expected.norm()


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_simulated_items_show_as_much_of_their_text_as_the_memorys_items_do(share: float) -> None:
    """Items made as √a text + noise of equal variance in all directions: the cosine to the text is √a again."""
    draw, dim = torch.Generator().manual_seed(3), 40
    scale = torch.linspace(1, 0.1, dim)
    texts = functional.normalize(torch.randn(6000, dim, generator=draw) * scale, dim=-1)
    noise = functional.normalize(torch.randn(6000, dim, generator=draw), dim=-1)
    memory = functional.normalize(share**0.5 * texts[:3000] + (1 - share) ** 0.5 * noise[:3000], dim=-1)
    found = simulated_items(texts[3000:], texts[:3000], memory, draw)
    assert (found * texts[3000:]).sum(1).mean().item() == pytest.approx(share**0.5, abs=0.06)
