"""Three spaces made from one latent: images and texts; audio, which shares texts; points, which share images."""

from dataclasses import dataclass

import numpy as np

from isthmus.embeddings import Embeddings

Set = dict[str, Embeddings]
LATENT = 8


@dataclass(frozen=True)
class ThreeSpaces:
    """Sets by space, and true galleries of the two modalities that share nothing."""

    sets: list[Set]
    audio: Embeddings
    points: Embeddings


def draw(seed: int = 0, rows: int = 600, gallery: int = 150, noise: float = 0.05) -> ThreeSpaces:
    random = np.random.default_rng(seed)
    dims = {"clip": 24, "clap": 20, "ulip": 22}
    maps = {space: random.standard_normal((LATENT, dim)) / np.sqrt(LATENT) for space, dim in dims.items()}

    def embed(meaning: np.ndarray, space: str, modality: str, name: str) -> Embeddings:
        noisy = meaning @ maps[space] + noise * random.standard_normal((len(meaning), dims[space]))
        ids = [f"{name}{row}" for row in range(len(meaning))]
        return Embeddings.from_array(noisy.astype(np.float32), modality=modality, space=space, ids=ids)

    text, image, audio, points = (random.standard_normal((rows, LATENT)) for _ in range(4))
    true = random.standard_normal((gallery, LATENT))
    sets = [
        {"text": embed(text, "clip", "text", "t"), "image": embed(image, "clip", "image", "i")},
        {"text": embed(text, "clap", "text", "t"), "audio": embed(audio, "clap", "audio", "a")},
        {"image": embed(image, "ulip", "image", "i"), "points": embed(points, "ulip", "points", "p")},
    ]
    return ThreeSpaces(sets, embed(true, "clap", "audio", "g"), embed(true, "ulip", "points", "g"))
