"""A small synthetic world with galleries and pairs, and made-up pictures and sounds for its items."""

import numpy as np
import pytest

from isthmus.embeddings import Embeddings
from isthmus.worlds.world import Gallery, World


class Scene:
    """Shows an item by its number."""

    def image(self, item: str) -> np.ndarray:
        return np.full((4, 8), int(item) % 256, dtype=np.uint8)

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        return np.zeros(80, np.float32), 8000

    def words(self, item: str) -> str:
        return f"number {item}"


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def world() -> World:
    return drawn_world(0)


def drawn_world(seed: int) -> World:
    draw = np.random.default_rng(seed)
    maps = [draw.standard_normal((6, dim)) for dim in (10, 8)]

    def embed(content: np.ndarray, side: int, modality: str) -> Embeddings:
        rows = content @ maps[side] + 0.1 * draw.standard_normal((len(content), maps[side].shape[1]))
        return Embeddings.from_array(rows.astype(np.float32), modality=modality, space=("images", "sounds")[side])

    def gallery() -> Gallery:
        content = draw.standard_normal((30, 6))
        return Gallery(embed(content, 0, "image"), embed(content, 1, "audio"), np.arange(30), np.arange(30))

    def content(rows: int) -> np.ndarray:
        return draw.standard_normal((rows, 6))

    texts, pairs = content(300), content(200)
    return World(
        name="small",
        overlap="text",
        left={"text": embed(texts, 0, "text"), "image": embed(content(250), 0, "image")},
        right={"text": embed(texts, 1, "text"), "audio": embed(content(250), 1, "audio")},
        galleries={name: gallery() for name in ("seen", "unseen", "hard")},
        pairs=(embed(pairs, 0, "image"), embed(pairs, 1, "audio")),
    )
