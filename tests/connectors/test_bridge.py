"""The bridge over texts: what its layer computes, and that it survives saving."""

from pathlib import Path

import numpy as np
import pytest
import torch

import isthmus
from isthmus.connectors.config import BridgeConfig
from isthmus.connectors.methods.bridge import EVERY, bridge_member, fit_bridge
from isthmus.connectors.narrowing import narrowed
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import CentredMaterials
from worlds.synthetic import SyntheticRecipe, World, synthetic_world


@pytest.fixture(scope="module")
def world() -> World:
    return synthetic_world("small", SyntheticRecipe(texts=300, memory=200, gallery=40, dims=(24, 16)), seed=2)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def carried(
    row: np.ndarray, texts: np.ndarray, others: np.ndarray, items: np.ndarray, config: BridgeConfig
) -> np.ndarray:
    """The row in the other space, text by text; all rows are centred and of length 1."""
    sharpness = 1 / (config.temperature * (items @ texts.T).std(ddof=1))
    frequency = np.zeros(len(texts))
    for item in items:
        weights = np.exp(sharpness * (texts @ item))
        frequency += weights / weights.sum() / len(items)
    weights = np.exp(sharpness * (texts @ row)) / (frequency + EVERY / len(texts))
    weights /= weights.sum()
    moment = texts.T @ texts / len(texts)
    ridge = moment + config.penalty * np.trace(moment) / len(moment) * np.eye(len(moment))
    linear = np.linalg.solve(ridge, texts.T @ others / len(texts))
    found = row @ linear
    for weight, text, other in zip(weights, texts, others, strict=True):
        found = found + weight * (other - text @ linear)
    return unit(found)


def test_heads_give_own_and_carried_vectors_in_the_order_of_the_spaces() -> None:
    draw = np.random.default_rng(0)
    texts = [unit(draw.standard_normal((60, dim))) for dim in (7, 5)]
    items = [unit(draw.standard_normal((50, dim))) for dim in (7, 5)]
    own = [torch.from_numpy(rows).float() for rows in (*texts, *items)]
    view = CentredMaterials("none", ({}, {}), (own[0], own[1]), (own[2], own[3]), (None, None))
    config = BridgeConfig(temperature=0.4, penalty=2.0)
    member = bridge_member(view, torch.arange(60), config)
    left = member.left.project(own[2][:3], "image").numpy()
    right = member.right.project(own[3][:3], "audio").numpy()
    for row in range(3):
        there = carried(items[0][row], *texts, items[0], config)
        back = carried(items[1][row], texts[1], texts[0], items[1], config)
        np.testing.assert_allclose(left[row], np.concatenate((items[0][row], there)) / np.sqrt(2), atol=2e-3)
        np.testing.assert_allclose(right[row], np.concatenate((back, items[1][row])) / np.sqrt(2), atol=2e-3)


def test_a_loaded_bridge_projects_the_same(world: World, tmp_path: Path) -> None:
    connector = isthmus.connect(world.left, world.right, method="bridge", device="cpu")
    connector.save(tmp_path / "bridge")
    loaded = isthmus.Connector.load(tmp_path / "bridge")
    items = world.left["image"]
    assert connector.dim == 24 + 16
    assert loaded.fingerprint == connector.fingerprint
    np.testing.assert_array_equal(loaded.project(items).vectors, connector.project(items).vectors)
    alone = loaded.project(items.take(np.array([5]))).vectors[0]
    np.testing.assert_allclose(alone, connector.project(items).vectors[5], atol=1e-5)


def test_a_bridge_that_is_alone_is_narrowed_to_the_dimensions_asked_for(world: World) -> None:
    materials = assemble(world.left, world.right, "text")
    member = fit_bridge(materials, BridgeConfig())
    assert narrowed((member,), (1.0,), materials, 40) is None
    found = narrowed((member,), (1.0,), materials, 16)
    assert found is not None
    assert found.basis.shape == (40, 16)
