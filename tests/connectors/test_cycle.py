"""Cycle weights against loops in float64, and what they do where a memory does not cover the texts."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import isthmus
from isthmus.connectors.choosing.auto import SAMPLING_PENALTY, blend, six
from isthmus.connectors.config import CcaConfig
from isthmus.connectors.graph.joint import JointBlock, moments_of
from isthmus.connectors.methods.closed_forms import cca, moments
from isthmus.connectors.methods.linear import fit_linear_twice
from isthmus.connectors.overlap.centring import centres
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import centred_materials
from isthmus.connectors.pseudo.cycle import Cycle, cycle_scores, pair_weights
from worlds.synthetic import SyntheticRecipe, synthetic_world


def unit_rows(rows: int, dim: int, seed: int) -> torch.Tensor:
    return functional.normalize(torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed)), dim=-1)


def scores_by_loop(texts: np.ndarray, pseudo: np.ndarray, keys: np.ndarray) -> list[float]:
    found = []
    for text, counterpart in zip(texts, pseudo, strict=True):
        weights = np.exp(keys @ counterpart / 0.05)
        back = weights @ keys / np.linalg.norm(weights @ keys)
        found.append(max(0.0, float(back @ text)))
    return found


def test_scores_agree_with_a_loop_in_float64() -> None:
    texts, pseudo = unit_rows(40, 9, 0), unit_rows(40, 9, 1)
    expected = scores_by_loop(*(rows.double().numpy() for rows in (texts, pseudo, texts)))
    np.testing.assert_allclose(cycle_scores(texts, pseudo, texts), expected, atol=1e-5)


def test_a_text_that_is_no_key_competes_all_the_same() -> None:
    texts, pseudo = unit_rows(40, 9, 0), unit_rows(40, 9, 1)
    keys = texts[:25]
    found = cycle_scores(texts, pseudo, keys)
    for row in range(40):
        competing = keys if row < 25 else torch.cat((keys, texts[row : row + 1]))
        own = (part[row : row + 1].double().numpy() for part in (texts, pseudo))
        assert found[row].item() == pytest.approx(scores_by_loop(*own, competing.double().numpy())[0], abs=1e-5)


def test_rows_that_a_method_does_not_centre_are_centred_for_their_scores() -> None:
    world = synthetic_world("small", SyntheticRecipe(texts=200, memory=150, gallery=10), seed=0)
    side = assemble(world.left, world.right, "text").left
    plain = Cycle.of(side, {})
    assert plain.query_centre is not None
    assert plain.pseudo_centre is not None
    texts, items = torch.from_numpy(side.overlap.vectors), torch.from_numpy(side.memory.vectors[:150])
    centred = [functional.normalize(rows - centre, dim=-1)
               for rows, centre in ((texts, plain.query_centre), (items, plain.pseudo_centre))]  # fmt: skip
    expected = cycle_scores(centred[0][:150], centred[1], centred[0])
    torch.testing.assert_close(plain.scores(texts[:150], items), expected)


def test_weighted_moments_are_those_of_repeated_pairs() -> None:
    left, right = unit_rows(30, 6, 2), unit_rows(30, 4, 3)
    times = torch.arange(30) % 4
    weighted = moments([(left, right, times.float())])
    repeated = moments([(left.repeat_interleave(times, 0), right.repeat_interleave(times, 0))])
    assert weighted.rows == repeated.rows
    for mine, theirs in ((weighted.left, repeated.left), (weighted.cross, repeated.cross)):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7)


def test_pairs_of_a_memory_that_covers_nothing_weigh_little() -> None:
    texts = unit_rows(300, 40, 0)
    near = functional.normalize(texts + 0.05 * unit_rows(300, 40, 1), dim=-1)
    elsewhere = unit_rows(300, 40, 2)
    covered, not_covered = (cycle_scores(texts, rows, texts) for rows in (near, elsewhere))
    assert covered.min() > 0.9
    assert not_covered.mean() < 0.2
    assert pair_weights(not_covered, not_covered).mean() < 0.1 * pair_weights(covered, covered).mean()


def test_equal_weights_are_those_of_the_paper() -> None:
    world = synthetic_world("small", SyntheticRecipe(texts=300, memory=200, gallery=10), seed=0)
    equal, cycle = (
        isthmus.connect(world.left, world.right, method="cca", pair_weights=own) for own in ("equal", "cycle")
    )
    assert "equal weights" in equal.members[0].method
    assert "equal" not in cycle.members[0].method
    assert not np.allclose(equal.project(world.left["image"]).vectors, cycle.project(world.left["image"]).vectors)


def test_rows_held_out_are_weighed_among_the_fitted_ones() -> None:
    world = synthetic_world("small", SyntheticRecipe(texts=300, memory=200, gallery=10), seed=0)
    materials = assemble(world.left, world.right, "text")
    fitted, held = np.arange(60, 300), np.arange(60)
    _, member = fit_linear_twice(materials, CcaConfig(), fitted, held)
    rows, scores = [], []
    for side, own in zip((materials.left, materials.right), centres(materials.taken(fitted), "matched"), strict=True):
        texts, items = (
            functional.normalize(torch.from_numpy(each.vectors) - own[each.modality], dim=-1)
            for each in (side.overlap, side.memory)
        )
        pseudo = functional.normalize(torch.softmax(texts @ items.T / 0.01, dim=1) @ items, dim=-1)
        scores.append(cycle_scores(texts, pseudo, texts[60:]))
        rows.append((texts, pseudo))
    (left, in_left), (right, in_right) = rows
    maps = cca(moments([(left, right), (in_left, in_right, pair_weights(*scores))]), (0.001, 0.001), 1.0)
    found = [head.projector[0].weight.T for head in (member.left, member.right)]
    torch.testing.assert_close(found[0] @ found[1].T, maps[0] @ maps[1].T, rtol=1e-2, atol=1e-2)


def test_auto_is_six_closed_forms_with_more_penalty_for_fewer_texts() -> None:
    names = [str(own) for own in six(300)]
    assert len(set(names)) == 6
    assert six(300)[0].penalty == (0.001 + SAMPLING_PENALTY / 300,) * 2
    assert [own.centring for own in six(50, "overlap")] == ["matched"] * 3


def test_the_blend_weighs_all_pairs_by_the_matched_centring() -> None:
    world = synthetic_world("small", SyntheticRecipe(texts=300, memory=200, gallery=10), seed=0)
    materials = assemble(world.left, world.right, "text")
    rows = torch.arange(300)
    views = {kind: centred_materials(materials, kind, rows) for kind in ("matched", "mean")}
    made = blend(views, rows[:240])
    assert "pair_weights" not in vars(views["mean"])
    assert [own.method for own in made.members] == [str(own) for own in six(300)]
    assert [own.method for own in made.judged] == [str(own) for own in six(240)]
    assert sum(made.weights) == pytest.approx(1)


def test_weighted_rows_of_a_joint_graph_are_those_of_repeated_rows() -> None:
    rows = {"a": unit_rows(40, 6, 2), "b": unit_rows(40, 5, 3), "c": unit_rows(40, 4, 4)}
    times = torch.arange(40) % 3
    repeated = {space: own.repeat_interleave(times, 0) for space, own in rows.items()}
    found, expected = (moments_of([block]) for block in (JointBlock(rows, times.float()), JointBlock(repeated)))
    for space in rows:
        torch.testing.assert_close(found.within[space], expected.within[space], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found.across["a", "c"], expected.across["a", "c"], rtol=1e-5, atol=1e-7)
