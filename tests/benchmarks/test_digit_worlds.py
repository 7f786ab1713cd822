"""Worlds of handwriting and speech in spaces of our own: towers, ranks, draws and the cache."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

import worlds.digit_spaces
from isthmus.worlds.digits.recordings.shipped import default_recordings
from isthmus.worlds.digits.spaces.recipe import SpaceRecipe
from isthmus.worlds.digits.spaces.space import build_space
from isthmus.worlds.digits.wording import NAMES
from worlds.digit_draws import drawn
from worlds.digit_spaces import LOW_RANK, Kind, StripTower, space_vectors, with_low_rank


def vectors(dim: int, seed: int, *roles: str) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    rows = {"texts": 90, "memory": 40, "pairs": 30, "test": 250, "unseen": 250}
    return {role: draw.normal(size=(rows[role], dim)) for role in ("texts", "memory", "pairs", "test", *roles)}


def test_a_strip_tower_tells_the_places_of_strips() -> None:
    tower = StripTower(16, 8)
    images = torch.zeros(3, 28, 168)
    images[0, :, :8] = images[1, :, 8:16] = 1
    rows = tower(images)
    assert rows.shape == (3, 8)
    assert torch.allclose(rows.norm(dim=1), torch.ones(3))
    assert torch.pdist(rows).min() > 1e-3


def test_texts_and_items_of_a_low_rank_space_vary_in_few_directions() -> None:
    space = build_space("image", SpaceRecipe("spelled", "attentive", 0, 1, width=32, dim=64))
    with_low_rank(space)
    images = space.embed_items([(torch.rand(100, 28, 168),)])
    texts = space.embed_texts([" ".join(words) for words in product(NAMES, repeat=2)])
    assert torch.linalg.matrix_rank(images, atol=1e-4) <= LOW_RANK + 1
    assert torch.linalg.matrix_rank(texts, atol=1e-4) <= LOW_RANK + 1


def test_a_draw_joins_equal_texts_and_scores_equal_sequences() -> None:
    image, audio = vectors(6, 0), vectors(4, 1, "unseen")
    world = drawn("other towers", image, audio, seed=3, texts=50)
    assert world.sides[0]["text"].ids == world.sides[1]["text"].ids
    assert world.left.ids == world.right.ids
    assert len(world.left) == 200
    row = int(world.right.ids[7])
    assert np.allclose(world.right.vectors[7], audio["test"][row] / np.linalg.norm(audio["test"][row]), atol=1e-6)
    other = drawn("other towers", image, audio, seed=3, texts=50, unseen=True)
    assert np.allclose(other.right.vectors[7], audio["unseen"][row] / np.linalg.norm(audio["unseen"][row]), atol=1e-6)
    assert other.name == "digits, other towers, 50 texts, new voice"


@pytest.mark.slow
def test_vectors_are_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds.digit_spaces, "ROWS", {"texts": 20, "memory": 10, "pairs": 5, "test": 8})
    recipe = SpaceRecipe("spelled", "attentive", 2, steps=2, batch=8, width=32, dim=16)
    monkeypatch.setitem(worlds.digit_spaces.KINDS, "image", Kind("image", recipe))
    first = space_vectors("image", default_recordings(), tmp_path)
    rows = {"texts": 20, "memory": 10, "pairs": 5, "test": 8, "concepts": 20, "test_concepts": 8}
    assert {role: len(found) for role, found in first.items()} == rows
    monkeypatch.setattr(worlds.digit_spaces, "_trained", None)
    again = space_vectors("image", default_recordings(), tmp_path)
    assert all((first[role] == again[role]).all() for role in first)
