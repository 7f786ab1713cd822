"""C-MCR finds the correspondence of two modalities it never saw paired, and each option does what it says."""

from dataclasses import replace

import pytest
import torch

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import Progress
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.member import Member
from isthmus.connectors.methods.cmcr import CmcrObjective, fit_cmcr
from isthmus.connectors.methods.losses import info_nce, intra_squared
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.training.config import OptimisationConfig
from two_views import DrawTwoViews, TwoViews

QUICK = CmcrConfig(
    temperature=0.1,
    noise_variance=0.01,
    optimisation=OptimisationConfig(epochs=1, min_steps=200, batch_size=200, learning_rate=5e-3),
)


def recall_at_1(member: Member, world: TwoViews) -> float:
    """Share of images whose own sound is nearest in the joint space."""
    images = member.left.project(torch.from_numpy(world.images.vectors), "image")
    sounds = member.right.project(torch.from_numpy(world.sounds.vectors), "audio")
    return ((images @ sounds.T).argmax(1) == torch.arange(len(images))).float().mean().item()


@pytest.mark.slow
@pytest.mark.parametrize("projector", ["linear", "clap-clip", "ulip-clip"])
def test_images_find_their_sounds_without_a_single_pair(draw_two_views: DrawTwoViews, projector: str) -> None:
    world = draw_two_views()
    member = fit_cmcr(world.materials, replace(QUICK, projector=projector), seed=0)
    assert recall_at_1(member, world) > 0.5
    assert (member.method, member.source) == ("cmcr", "both")


@pytest.mark.slow
def test_the_siglip_loss_learns_too(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views()
    member = fit_cmcr(world.materials, replace(QUICK, contrast="siglip", projector="linear"), seed=0)
    assert recall_at_1(member, world) > 0.5


@pytest.mark.slow
def test_pseudo_pairs_close_a_gap_that_the_overlap_alone_leaves(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(gap=1.0)
    overlap_only = replace(QUICK, pseudo_weight=0.0, intra_weight=0.0, projector="linear")
    with_all = fit_cmcr(world.materials, replace(QUICK, projector="linear"), seed=0)
    without = fit_cmcr(world.materials, overlap_only, seed=0)
    assert recall_at_1(with_all, world) > recall_at_1(without, world) + 0.3


@pytest.mark.slow
def test_without_a_memory_only_the_overlap_is_used(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(gap=0.0)
    left, right = world.materials.left, world.materials.right
    member = fit_cmcr(Materials(left, Side(right.overlap, None)), replace(QUICK, projector="linear"), seed=0)
    assert member.source == "overlap"
    assert recall_at_1(member, world) > 0.5


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(texts=100, memory=80)
    few = replace(QUICK, optimisation=OptimisationConfig(epochs=1, min_steps=5))
    fits = [fit_cmcr(world.materials, few, seed=seed).left.projector.state_dict() for seed in (1, 1, 2)]
    assert all(torch.equal(fits[0][name], fits[1][name]) for name in fits[0])
    assert not all(torch.equal(fits[0][name], fits[2][name]) for name in fits[0])


def test_heads_carry_centres_only_when_asked(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(texts=100, memory=80)
    few = replace(QUICK, optimisation=OptimisationConfig(epochs=1, min_steps=2))
    assert fit_cmcr(world.materials, few, seed=0).left.centres == {}
    centred = fit_cmcr(world.materials, replace(few, centring="matched"), seed=0)
    assert set(centred.left.centres) == {"text", "image"}
    assert set(centred.right.centres) == {"text", "audio"}


def test_the_objective_is_the_papers_sum_of_terms() -> None:
    draw = torch.Generator().manual_seed(0)
    views = [torch.nn.functional.normalize(torch.randn(2, 9, 5, generator=draw), dim=-1) for _ in range(2)]
    identity = torch.nn.Sequential(torch.nn.Identity())
    config = CmcrConfig(noise_variance=0.0, temperature=0.2, intra_weight=0.3, pseudo_weight=0.7)
    rows = torch.tensor([4, 1, 7])
    found = CmcrObjective(views[0], views[1], (identity, identity), config)(rows, draw)
    (t_left, v_left), (t_right, a_right) = views[0][:, rows], views[1][:, rows]
    expected = (
        info_nce(t_left, t_right, 0.2)
        + 0.7 * info_nce(v_left, a_right, 0.2)
        + 0.3 * (intra_squared(t_left, v_left) + intra_squared(t_right, a_right))
    )
    torch.testing.assert_close(found, expected)


def test_progress_reports_loss_rate_and_time_left_up_to_the_last_step(draw_two_views: DrawTwoViews) -> None:
    seen: list[Progress] = []
    world = draw_two_views(texts=100, memory=80)
    few = replace(QUICK, optimisation=OptimisationConfig(epochs=1, min_steps=5))
    fit_cmcr(world.materials, few, seed=0, progress=seen.append)
    assert (seen[-1].stage, seen[-1].done, seen[-1].total) == ("training", 5, 5)
    assert seen[-1].values["loss"] > 0
    assert seen[-1].rate > 0


def test_a_loss_that_is_not_finite_stops_the_fit(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(texts=100, memory=80)
    wild = replace(QUICK, optimisation=OptimisationConfig(learning_rate=1e30, epochs=1, min_steps=20))
    with pytest.raises(IsthmusError, match="the loss is nan at step"):
        fit_cmcr(world.materials, wild, seed=0)


def test_one_overlap_row_is_too_few(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(texts=1)
    with pytest.raises(IsthmusError, match="at least 2 overlap rows, got 1"):
        fit_cmcr(world.materials, QUICK, seed=0)
