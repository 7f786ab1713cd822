"""Vectors of handwriting and speech in spaces of our own training, of three kinds, kept in a folder.

The image spaces are the package's; one with other towers, a transformer over strips of pixels and recurrent text; and
one whose vectors vary in `LOW_RANK` directions. All three meet the same audio space. They train for a short time, which
leaves them weaker than the package's own: a few minutes each on one core.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from isthmus.worlds.digits.build import assemble, build_spaces
from isthmus.worlds.digits.concepts import draw_distinct, draw_repeatedly, random_stream
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.speech_files import load_speech
from isthmus.worlds.digits.spaces.recipe import Recipe, SpaceRecipe
from isthmus.worlds.digits.spaces.training import train_space
from isthmus.worlds.spaces.space import ContrastiveSpace

STEPS, BATCH, WIDTH = 300, 128, 64
LOW_RANK = 10
STRIP = 8
"""Pixel columns of a strip."""
ROWS = {"texts": 3000, "memory": 2500, "pairs": 1500, "test": 600}
"""Rows of each role, of which a draw takes a part."""


class StripTower(nn.Module):
    """Images to unit rows: strips of pixels and their places through a two-layer transformer, then the mean."""

    def __init__(self, width: int, dim: int, pixels: int = 168) -> None:
        super().__init__()
        self.strips = nn.Linear(28 * STRIP, width)
        self.place = nn.Parameter(torch.randn(pixels // STRIP, width) * 0.5)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, dim)

    def forward(self, images: Float[Tensor, "batch 28 pixels"]) -> Float[Tensor, "batch dim"]:
        """Unit rows."""
        strips = images.unflatten(2, (-1, STRIP)).permute(0, 2, 1, 3).flatten(2)
        return functional.normalize(self.out(self.layers(self.strips(strips) + self.place).mean(1)), dim=1)


def with_strips(space: ContrastiveSpace) -> None:
    """Give a space a `StripTower`."""
    space.item_tower = StripTower(space.recipe.width, space.recipe.dim)


def with_low_rank(space: ContrastiveSpace) -> None:
    """Let the last layer of both towers pass `LOW_RANK` figures only."""
    for module in list(space.modules()):
        if isinstance(last := getattr(module, "out", None), nn.Linear):
            narrow = (nn.Linear(last.in_features, LOW_RANK), nn.Linear(LOW_RANK, last.out_features))
            module.out = nn.Sequential(*narrow)


@dataclass(frozen=True)
class Kind:
    """One space: its modality, its recipe, and what is changed before it is trained."""

    modality: str
    recipe: SpaceRecipe
    change: Callable[[ContrastiveSpace], None] = lambda space: None


KINDS = {
    "image": Kind("image", SpaceRecipe("spelled", "attentive", 1, STEPS, BATCH, WIDTH)),
    "image, other towers": Kind("image", SpaceRecipe("spelled", "recurrent", 3, STEPS, BATCH, WIDTH), with_strips),
    "image, low rank": Kind("image", SpaceRecipe("spelled", "attentive", 4, STEPS, BATCH, WIDTH), with_low_rank),
    "audio": Kind("audio", SpaceRecipe("read out", "recurrent", 2, STEPS, BATCH, WIDTH)),
}


@cache
def real_recordings(folder: Path) -> Recordings:
    """The handwriting and speech of a folder with mnist_8k.npz and fsdd_8k.npz."""
    return Recordings("digits", load_handwriting(folder / "mnist_8k.npz"), load_speech(folder / "fsdd_8k.npz"))


def space_vectors(name: str, source: Recordings, kept: Path) -> dict[str, np.ndarray]:
    """Vectors of one space by role: "texts", "memory", "pairs", "test", its captions, and for audio "unseen".

    "unseen" are the sequences of "test" by a speaker who is not in training. Sequences are numbered under "concepts"
    and "test_concepts". Vectors are read from the folder ``kept``, or the space is trained and they are written to it.
    """
    kind = KINDS[name]
    print_of = hashlib.sha256(f"{source.fingerprint} {name} {kind.recipe} {ROWS} {LOW_RANK}".encode()).hexdigest()[:12]
    path = kept / f"digits-{name.replace(', ', '-').replace(' ', '-')}-{print_of}.npz"
    if not path.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        np.savez(path, **_embedded(_trained(kind, source), kind.modality))
    with np.load(path, allow_pickle=False) as data:
        return {role: data[role] for role in data.files}


def _trained(kind: Kind, source: Recordings) -> DigitsWorld:
    """The digits world of the recordings, with this space trained; the space of the other modality is not."""
    spaces = build_spaces(Recipe(**{kind.modality: kind.recipe}))
    image, audio = spaces
    own = image if kind.modality == "image" else audio
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(kind.recipe.seed)
        kind.change(own)
    world = assemble(source, Recipe(**{kind.modality: kind.recipe}), spaces)
    feed = world.image_feed if kind.modality == "image" else world.audio_feed
    train_space(own, feed, kind.recipe, world.concepts["train"])
    return world


def _embedded(world: DigitsWorld, modality: str) -> dict[str, np.ndarray]:
    """Vectors of one of the world's spaces by role. Memories of the two modalities show other sequences."""
    training, held_out = world.concepts["train"], world.concepts["test"]
    texts, pairs = (draw_repeatedly(training, ROWS[role], random_stream(0, role)) for role in ("texts", "pairs"))
    memory = draw_repeatedly(training, ROWS["memory"], random_stream(0, f"{modality} memory"))
    test = draw_distinct(held_out, ROWS["test"], random_stream(0, "test"))
    space = world.image_space if modality == "image" else world.audio_space
    embed = cast(Callable, world.embed_images if modality == "image" else world.embed_audio)
    found = {
        "texts": world.embed_texts(texts, space),
        "memory": embed(memory, "train", 0),
        "pairs": embed(pairs, "train", 1),
        "test": embed(test, "test", 2),
    }
    if modality == "audio":
        found["unseen"] = embed(test, "test", 2, "unseen")
    vectors = {role: rows.vectors for role, rows in found.items()}
    return {**vectors, "concepts": texts, "test_concepts": test}
