"""The third space of the digits world: point clouds and images, trained like ULIP (Xue et al., CVPR 2023).

An image tower is trained on images and texts, as in the first space but from another seed. It is then frozen, and a
cloud tower is trained on pairs of a solid and the image it was made of. No text is paired with a solid.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from isthmus.base.atomic import atomic_path
from isthmus.embeddings import Embeddings
from isthmus.worlds.digits.concepts import digits_of
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.items import image_ids, parse_images
from isthmus.worlds.digits.recordings.handwriting import ImageLayouts, compose_images, draw_images
from isthmus.worlds.digits.spaces.recipe import SpaceRecipe
from isthmus.worlds.digits.spaces.space import build_space
from isthmus.worlds.digits.spaces.towers import Context, ImageTower
from isthmus.worlds.digits.spaces.training import Digits, digit_batches, train_space
from isthmus.worlds.spaces.contrastive import contrast
from isthmus.worlds.spaces.text_towers import OrderedPooling
from isthmus.worlds.spaces.weights import cache_path
from worlds.solids import as_grid, sample_solids

NAME = "digits-points"
COLUMNS, ROWS, LAYERS = 84, 16, 3
REVISION = 2
EMBED_ROWS = 256


@dataclass(frozen=True)
class PointsRecipe:
    """How the space is trained: the image tower for ``image_steps``, then the cloud tower for ``steps``."""

    seed: int = 3
    image_steps: int = 500
    steps: int = 400
    batch: int = 256
    width: int = 128
    dim: int = 128

    @property
    def image_recipe(self) -> SpaceRecipe:
        """How the image tower is trained; the cloud tower is trained alike, except for the number of steps."""
        sizes = {"batch": self.batch, "width": self.width, "dim": self.dim}
        return SpaceRecipe("spelled", "attentive", seed=self.seed, steps=self.image_steps, **sizes)

    def fingerprint(self, source: str) -> str:
        """Sixteen hexadecimal digits that depend on the recipe and the fingerprint of the recordings."""
        content = json.dumps({"points": REVISION, "source": source, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


class CloudTower(nn.Module):
    """Clouds to a grid of counts, to one token per 4 columns of it, then `OrderedPooling`."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(LAYERS, width // 4, 5, 1, 2),
            nn.ReLU(),
            nn.Conv2d(width // 4, width // 2, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width // 2, width // 2, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width // 2, width, (ROWS // 4, 3), padding=(0, 1)),
        )
        self.context = Context(width)
        self.pool = OrderedPooling(width, dim)

    def forward(self, clouds: Float[Tensor, "batch points 3"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        tokens = self.context(self.stem(as_grid(clouds, COLUMNS, ROWS, LAYERS)).squeeze(2))
        found: Tensor = self.pool(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool))
        return found


class PointsSpace(nn.Module):
    """Clouds and images in one space."""

    def __init__(self, recipe: PointsRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.cloud_tower = CloudTower(recipe.width, recipe.dim)
        self.image_tower = ImageTower(recipe.width, recipe.dim)


@dataclass(frozen=True)
class SolidDigits:
    """A digits world and its third space."""

    world: DigitsWorld
    space: PointsSpace

    @torch.no_grad()
    def embed_clouds(self, concepts: Int[np.ndarray, " n"], split: str, seed: int) -> Embeddings:
        """A solid of each sequence, from the images of a split."""
        rng = np.random.default_rng([seed, 21])
        drawn = draw_images(digits_of(concepts), self.world.source.handwriting, self.world.splits.images[split], rng)
        vectors = [self.space.cloud_tower(block) for block in self.clouds(drawn, rng)]
        ids = [f"{name}~{seed}" for name in image_ids(concepts, drawn)]
        return Embeddings.from_array(torch.cat(vectors).numpy(), modality="points", space=NAME, ids=ids)

    @torch.no_grad()
    def embed_images(self, ids: list[str]) -> Embeddings:
        """Images by their ids in the first space: the overlap of the two spaces."""
        images = self.world.image_feed.batches(parse_images(ids))
        vectors = torch.cat([self.space.image_tower(*batch) for batch in images]).numpy()
        return Embeddings.from_array(vectors, modality="image", space=NAME, ids=ids)

    def clouds(self, drawn: ImageLayouts, rng: np.random.Generator) -> Iterator[Float[Tensor, "block points 3"]]:
        """Solids of images, in blocks."""
        for start in range(0, len(drawn), EMBED_ROWS):
            shown = compose_images(drawn[start : start + EMBED_ROWS], self.world.source.handwriting)
            yield torch.from_numpy(sample_solids(shown, rng))


def build_solids(
    world: DigitsWorld,
    recipe: PointsRecipe | None = None,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> SolidDigits:
    """The third space of a digits world, with weights from the cache, or trained and cached."""
    recipe = recipe or PointsRecipe()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        solid = SolidDigits(world, PointsSpace(recipe).eval())
    path = cache_path("digits", recipe.fingerprint(world.source.fingerprint))
    if path.is_file():
        solid.space.load_state_dict(load_file(path))
    else:
        train_points(solid, on_step)
        _save(path, solid.space)
    return solid


def _save(path: Path, space: PointsSpace) -> None:
    with atomic_path(path) as part:
        save_file(space.state_dict(), part)


def train_points(solid: SolidDigits, on_step: Callable[[int, float], None]) -> None:
    """Train in place: the image tower against texts, then clouds against their images; with near misses."""
    recipe, world = solid.space.recipe, solid.world
    image_text = build_space("image", recipe.image_recipe)
    train_space(image_text, world.image_feed, recipe.image_recipe, world.concepts["train"], on_step)
    solid.space.image_tower.load_state_dict(image_text.item_tower.state_dict())
    solid.space.image_tower.requires_grad_(False).eval()

    def pairs(digits: Digits, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        drawn = draw_images(digits, world.source.handwriting, world.splits.images["train"], rng)
        clouds = torch.cat(list(solid.clouds(drawn, rng)))
        with torch.no_grad():
            images = torch.cat([solid.space.image_tower(*shown) for shown in world.image_feed.batches(drawn)])
        return solid.space.cloud_tower(clouds), images

    clouds_recipe = replace(recipe.image_recipe, steps=recipe.steps)
    contrast(
        solid.space.cloud_tower,
        clouds_recipe,
        digit_batches(clouds_recipe, world.concepts["train"], pairs),
        lambda step, loss: on_step(recipe.image_steps + step, loss),
    )
