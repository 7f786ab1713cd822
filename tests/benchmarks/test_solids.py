"""Solids: points are ink, turned as a rigid body; the grid counts them; the third space embeds what its ids say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from isthmus.worlds.digits.concepts import draw_distinct
from isthmus.worlds.digits.digits_world import DigitsWorld
from worlds import points_space, solids
from worlds.points_space import PointsRecipe, build_solids


def test_rotations_are_rigid_and_bounded() -> None:
    found = solids.rotations(50, np.random.default_rng(0))
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-12)
    assert np.abs(np.rad2deg(np.arctan2(found[:, 0, 2], found[:, 2, 2]))).max() < 50


def test_points_lie_where_ink_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unturned, a bar of ink 20 wide and 2 high is a slab of 20 x 2 x 10 around its middle."""
    monkeypatch.setattr(solids, "rotations", lambda n, rng: np.broadcast_to(np.eye(3), (n, 3, 3)))
    picture = np.zeros((1, 28, 40), np.uint8)
    picture[0, 10:12, 5:25] = 200
    points = solids.sample_solids(picture, np.random.default_rng(0))[0]
    reach = points.max(0) - points.min(0)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
    np.testing.assert_allclose(reach / reach[0], [1, 0.1, 0.5], atol=0.02)


def test_the_grid_counts_every_point() -> None:
    clouds = np.random.default_rng(0).uniform(-1, 1, (3, 200, 3)).astype(np.float32) * np.array([1, 0.45, 0.6], "f4")
    found = solids.as_grid(torch.from_numpy(clouds), 6, 4, 2).expm1().round().numpy()
    expected = np.zeros((3, 2, 4, 6))
    for cloud, cells in zip(clouds, expected, strict=True):
        for x, y, z in cloud:
            column, row, layer = int((x + 1) * 3), int((y / 0.45 + 1) * 2), int(z / 0.6 + 1)
            cells[min(layer, 1), 3 - min(row, 3), min(column, 5)] += 1
    assert np.array_equal(found, expected)


@pytest.mark.slow
def test_the_third_space_is_trained_kept_and_embeds(
    digits: DigitsWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points_space, "cache_path", lambda world, fingerprint: tmp_path / f"{fingerprint}.safetensors")
    recipe = PointsRecipe(image_steps=2, steps=3, batch=16, width=32, dim=16)
    losses: list[float] = []
    solid = build_solids(digits, recipe, lambda step, loss: losses.append(loss))
    assert len(losses) == 5
    again = build_solids(digits, recipe, lambda step, loss: losses.append(loss))
    assert len(losses) == 5
    concepts = draw_distinct(digits.concepts["dev"], 6, np.random.default_rng(0))
    clouds = solid.embed_clouds(concepts, "dev", 0)
    assert clouds.modality == "points"
    assert [name.split(":")[0] for name in clouds.ids] == [str(concept)[1:] for concept in concepts]
    assert np.array_equal(again.embed_clouds(concepts, "dev", 0).vectors, clouds.vectors)
    shown = digits.embed_images(concepts, "dev", 0)
    pictures = solid.embed_images(shown.ids)
    assert (pictures.ids, pictures.space, pictures.dim) == (shown.ids, clouds.space, 16)
