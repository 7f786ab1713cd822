"""Training of the spaces of the things world: their batches are scenes, of one group at first, then near misses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from isthmus.worlds.spaces.contrastive import contrast
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.things.drawings.layout import CHANCES as IMAGE_CHANCES
from isthmus.worlds.things.scenes import MAX_COUNT, Scenes, draw_scenes, joined, near_misses, random_scenes, split_of
from isthmus.worlds.things.spaces.feeds import SceneFeed, SpeechFeed, as_input
from isthmus.worlds.things.spaces.recipe import ThingsSpaceRecipe
from isthmus.worlds.things.spaces.towers import SceneTower, SpeechTower, TextTower
from isthmus.worlds.things.speech.sentences import CHANCES as SPEECH_CHANCES
from isthmus.worlds.things.wording import SPOKEN, WRITTEN

EncodeScenes = Callable[[Scenes, bool, np.random.Generator], Tensor]
"""Unit rows of new items of scenes; the flag says whether each has one group only."""


def build_space(modality: str, recipe: ThingsSpaceRecipe) -> ContrastiveSpace:
    """An untrained space named ``things-<modality>``, its weights initialised from the recipe's seed."""
    wording = WRITTEN if modality == "image" else SPOKEN
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        item_tower = (SceneTower if modality == "image" else SpeechTower)(recipe.width, recipe.dim)
        text_tower = TextTower(len(wording.vocabulary), recipe.width, recipe.dim)
    return ContrastiveSpace(f"things-{modality}", modality, wording, item_tower, text_tower)


def train_images(
    space: ContrastiveSpace,
    feed: SceneFeed,
    recipe: ThingsSpaceRecipe,
    split_seed: int,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """Train the image space in place and return the loss of each step; ``feed`` has the training styles only."""

    def encode(scenes: Scenes, alone: bool, rng: np.random.Generator) -> Tensor:
        styles = rng.integers(0, len(feed.bank.styles), len(scenes))
        make = feed.close_ups if alone else feed.pixels
        return space.item_tower(as_input(make(scenes, styles, rng.random((len(scenes), IMAGE_CHANCES)))))

    return _train(space, recipe, split_seed, encode, 1, on_step)


def train_speech(
    space: ContrastiveSpace,
    feed: SpeechFeed,
    recipe: ThingsSpaceRecipe,
    split_seed: int,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """Train the speech space in place and return the loss of each step; ``feed`` has the training voices only."""

    def encode(scenes: Scenes, alone: bool, rng: np.random.Generator) -> Tensor:
        voices = rng.integers(0, len(feed.bank.voices), len(scenes))
        sentences = feed.sentences(scenes, voices, rng.random((len(scenes), SPEECH_CHANCES)))
        order = np.argsort([sentence.length for sentence in sentences], kind="stable")
        # The shorter half by itself: a third of a batch would be padding.
        halves = [[sentences[row] for row in half] for half in np.array_split(order, 2)]
        rows = torch.cat([space.item_tower(*feed.distorted(half, rng)) for half in halves])
        return rows[torch.from_numpy(np.argsort(order))]

    return _train(space, recipe, split_seed, encode, MAX_COUNT, on_step)


def _train(
    space: ContrastiveSpace,
    recipe: ThingsSpaceRecipe,
    split_seed: int,
    encode: EncodeScenes,
    most: int,
    on_step: Callable[[int, float], None],
) -> list[float]:
    wording = WRITTEN if space.modality == "image" else SPOKEN

    def pairs(step: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        alone = step < recipe.single_steps
        scenes = single_groups(recipe.singles, most, rng) if alone else training_scenes(recipe.batch, split_seed, rng)
        return encode(scenes, alone, rng), space.encode_texts(wording.write(scenes, rng))

    return contrast(space, recipe, pairs, on_step)


def training_scenes(count: int, split_seed: int, rng: np.random.Generator) -> Scenes:
    """Scenes of the training split; the second half are near misses of the first.

    A near miss that belongs to dev or test is replaced by a random scene.
    """

    def training(scenes: Scenes) -> np.ndarray:
        return split_of(scenes, split_seed) == 0

    heads = draw_scenes(count // 2, training, rng)
    misses = near_misses(heads, rng)
    kept = misses[np.flatnonzero(training(misses))]
    return joined([heads, kept, draw_scenes(count - len(heads) - len(kept), training, rng)])


def single_groups(count: int, most: int, rng: np.random.Generator) -> Scenes:
    """Scenes of one group with at most ``most`` things, of any split: what single things look and sound like."""
    scenes = random_scenes(count, rng)
    first = np.array([True, False, False])
    number = np.where(first, np.minimum(scenes.count, most), 0)
    return Scenes(np.where(first, scenes.thing, -1), number, scenes.size * first, scenes.tint * first)
