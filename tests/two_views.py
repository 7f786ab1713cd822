"""Materials whose truth is known: two random linear views of one latent, with a modality gap in each space."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.embeddings import Embeddings


@dataclass(frozen=True)
class TwoViews:
    """Materials, and a gallery of true pairs of the two unshared modalities that no method sees."""

    materials: Materials
    images: Embeddings
    sounds: Embeddings


DrawTwoViews = Callable[..., TwoViews]


def draw(
    seed: int = 0,
    *,
    texts: int = 800,
    memory: int = 800,
    gallery: int = 200,
    dims: tuple[int, int] = (24, 20),
    latent: int = 8,
    gap: float = 0.5,
    noise: float = 0.05,
) -> TwoViews:
    random = np.random.default_rng(seed)
    maps = [random.standard_normal((latent, dim)) / np.sqrt(latent) for dim in dims]
    gaps = [gap * direction / np.linalg.norm(direction) for direction in map(random.standard_normal, dims)]

    def embed(meaning: np.ndarray, side: int, modality: str) -> Embeddings:
        rows = meaning @ maps[side] + noise * random.standard_normal((len(meaning), dims[side]))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        shifted = rows if modality == "text" else rows + gaps[side]
        return Embeddings.from_array(shifted.astype(np.float32), modality=modality, space=("clip", "clap")[side])

    text = random.standard_normal((texts, latent))
    image, sound = (random.standard_normal((memory, latent)) for _ in range(2))
    true = random.standard_normal((gallery, latent))
    materials = Materials(
        Side(embed(text, 0, "text"), embed(image, 0, "image")),
        Side(embed(text, 1, "text"), embed(sound, 1, "audio")),
    )
    return TwoViews(materials, embed(true, 0, "image"), embed(true, 1, "audio"))


def draw_materials(**options: int) -> Materials:
    """The materials alone, for programs that run outside pytest."""
    return draw(**options).materials
