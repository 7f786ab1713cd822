"""Ex-MCR leaves the base untouched, brings the leaf into it, and queries from every modality."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus.connectors.config import ConsistencyConfig, ExmcrConfig
from isthmus.connectors.connector import Connector
from isthmus.connectors.member import Member
from isthmus.connectors.methods.exmcr import ExmcrObjective, fit_exmcr
from isthmus.connectors.methods.losses import info_nce, intra_squared
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.pseudo.counterparts import TrainingSide, every_counterpart
from isthmus.training.config import OptimisationConfig
from two_views import DrawTwoViews, TwoViews

QUICK = ExmcrConfig(
    temperature=0.1,
    noise_variance=0.01,
    projector="linear",
    optimisation=OptimisationConfig(epochs=1, min_steps=200, batch_size=200, learning_rate=5e-3),
)
FEW = replace(QUICK, optimisation=OptimisationConfig(epochs=1, min_steps=3, batch_size=50))


def recall_at_1(member: Member, world: TwoViews) -> float:
    images = member.left.project(torch.from_numpy(world.images.vectors), "image")
    sounds = member.right.project(torch.from_numpy(world.sounds.vectors), "audio")
    return ((images @ sounds.T).argmax(1) == torch.arange(len(images))).float().mean().item()


@pytest.mark.slow
@pytest.mark.parametrize("base", ["left", "right"])
@pytest.mark.parametrize("projector", ["linear", "two-mlps"])
def test_images_find_their_sounds_in_the_base_space(draw_two_views: DrawTwoViews, base: str, projector: str) -> None:
    world = draw_two_views()
    member = fit_exmcr(world.materials, replace(QUICK, base=base, projector=projector), seed=0)
    assert recall_at_1(member, world) > 0.5


def test_the_base_stays_as_it_is_bit_for_bit(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(texts=100, memory=80)
    member = fit_exmcr(world.materials, replace(FEW, centring="matched"), seed=0)
    for embeddings in (world.images, world.materials.left.overlap):
        rows = torch.from_numpy(embeddings.vectors)
        assert torch.equal(member.left.project(rows, embeddings.modality), rows)
    assert set(member.right.centres) == {"text", "audio"}


@pytest.mark.slow
def test_the_adapter_brings_the_leafs_memory_to_its_texts(draw_two_views: DrawTwoViews) -> None:
    world = draw_two_views(gap=1.5)
    member = fit_exmcr(world.materials, QUICK, seed=0)
    texts = torch.from_numpy(world.materials.right.overlap.vectors).mean(0)
    sounds = torch.from_numpy(world.sounds.vectors)
    adapted = functional.normalize(member.right.adapters["audio"](sounds), dim=-1).mean(0)
    assert (adapted - texts).norm() < 0.6 * (sounds.mean(0) - texts).norm()


def test_the_objective_is_the_papers_and_its_terms_train_apart() -> None:
    draw = torch.Generator().manual_seed(0)
    base, leaf = (functional.normalize(torch.randn(2, 9, 5, generator=draw), dim=-1) for _ in range(2))
    projector = torch.nn.Sequential(torch.nn.Linear(5, 5))
    objective = ExmcrObjective(base, leaf, projector, ExmcrConfig(noise_variance=0.0, temperature=0.2))
    with torch.no_grad():
        objective.adapter.weight.add_(0.1 * torch.randn(5, 5, generator=draw))
    rows = torch.tensor([4, 1, 7])
    (t_base, v_base), (t_leaf, a_leaf) = base[:, rows], leaf[:, rows]
    adapted = objective.adapter(a_leaf)
    t, a = (functional.normalize(projector(view), dim=-1) for view in (t_leaf, adapted))
    inter = sum(info_nce(mine, native, 0.2) for mine in (a, t) for native in (v_base, t_base)) / 4
    intra = intra_squared(t_leaf, functional.normalize(adapted, dim=-1))

    found = objective(rows, draw)
    torch.testing.assert_close(found, inter + intra)
    found.backward()
    expected = torch.autograd.grad(intra, objective.adapter.weight)[0]
    torch.testing.assert_close(objective.adapter.weight.grad, expected)


def test_rows_are_queried_from_every_modality_with_the_same_weights_in_both_spaces(
    draw_two_views: DrawTwoViews,
) -> None:
    materials = draw_two_views(texts=40, memory=30).materials
    cpu, consistency = torch.device("cpu"), ConsistencyConfig(temperature=0.05)
    left, right = (TrainingSide.of(side, {}, consistency, cpu) for side in (materials.left, materials.right))
    found = every_counterpart(left, right)
    in_left, in_right = found.left, found.right
    assert all(bool((own == 1).all()) for own in found.scores)
    assert in_left.shape == (2, 40 + 30 + 30, 24)
    assert in_right.shape == (2, 40 + 30 + 30, 20)

    images, sounds = materials.left.memory.vectors, materials.right.memory.vectors
    texts = materials.left.overlap.vectors, materials.right.overlap.vectors
    soft_left = soft(images, texts[0], texts[0])
    soft_right = soft(images, texts[0], texts[1])
    np.testing.assert_allclose(in_left[0, 40:70], soft_left, atol=1e-5)
    np.testing.assert_allclose(in_left[1, 40:70], images)
    np.testing.assert_allclose(in_right[0, 40:70], soft_right, atol=1e-5)
    np.testing.assert_allclose(in_right[1, 40:70], soft(soft_right, sounds, sounds), atol=1e-5)
    np.testing.assert_allclose(in_right[1, 70:], sounds)


def soft(queries: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    weights = np.exp(queries.astype(np.float64) @ keys.T / 0.05)
    means = weights / weights.sum(1, keepdims=True) @ values
    return means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.mark.parametrize("missing", ["left", "right", "both"])
def test_a_missing_memory_leaves_the_terms_that_need_none(draw_two_views: DrawTwoViews, missing: str) -> None:
    world = draw_two_views(texts=100, memory=80)
    left, right = world.materials.left, world.materials.right
    materials = Materials(
        left if missing == "right" else Side(left.overlap, None),
        right if missing == "left" else Side(right.overlap, None),
    )
    member = fit_exmcr(materials, FEW, seed=0)
    assert set(member.right.adapters) == ({"audio"} if missing == "left" else set())


def test_a_saved_connector_keeps_the_adapter_and_the_identity(draw_two_views: DrawTwoViews, tmp_path: Path) -> None:
    world = draw_two_views(texts=100, memory=80)
    member = fit_exmcr(world.materials, FEW, seed=0)
    made = Connector("clip", "clap", "text", (member,), (1.0,))
    read = Connector.load(made.save(tmp_path / "connector"))
    assert (read.input_dim("clip"), read.input_dim("clap"), read.dim) == (24, 20, 24)
    np.testing.assert_allclose(read.project(world.images).vectors, world.images.vectors, atol=1e-7)
    expected = member.right.project(torch.from_numpy(world.sounds.vectors), "audio")
    np.testing.assert_allclose(read.project(world.sounds).vectors, expected, atol=1e-7)
