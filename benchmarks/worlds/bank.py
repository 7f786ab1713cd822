"""The bank: worlds in families of one difficulty each, for fitting and judging rules that choose without pairs.

A rule is judged on families it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.base.errors import IsthmusError
from isthmus.worlds.world import World
from worlds.synthetic import SyntheticRecipe, synthetic_world

RECIPES: dict[str, dict[str, SyntheticRecipe]] = {
    "plain": {
        "plain": SyntheticRecipe(),
        "noisy": SyntheticRecipe(item_noise=(1.0, 1.0), text_noise=(0.8, 0.8)),
        "wide": SyntheticRecipe(content=200, dims=(192, 128)),
    },
    "few texts": {
        "300 texts": SyntheticRecipe(texts=300),
        "800 texts": SyntheticRecipe(texts=800, dims=(256, 256)),
        "400 texts, 600 items": SyntheticRecipe(texts=400, memory=600, topics=60),
    },
    "gap": {
        "large gap": SyntheticRecipe(gap=2.0),
        "gap on few texts": SyntheticRecipe(gap=1.5, texts=800, topics=40),
        "no gap": SyntheticRecipe(gap=0.0),
    },
    "low rank": {
        "right low rank": SyntheticRecipe(ranks=(0, 24), texts=800),
        "both low rank": SyntheticRecipe(ranks=(20, 30)),
        "low rank, 2000 texts": SyntheticRecipe(ranks=(0, 16), texts=2000, item_noise=(0.8, 0.5)),
    },
    "coverage": {
        "half covered": SyntheticRecipe(topics=30, cover="half"),
        "other content": SyntheticRecipe(topics=30, cover="other"),
        "little covered": SyntheticRecipe(topics=40, cover="little", texts=600),
    },
    "topics": {
        "few labels, little covered": SyntheticRecipe(topics=40, cover="little", texts=400, by_topic=True),
        "few labels": SyntheticRecipe(topics=40, texts=500, by_topic=True, item_noise=(1.2, 1.2)),
        "labels of other content": SyntheticRecipe(
            topics=60, cover="half", texts=300, by_topic=True, item_noise=(1.2, 1.2), memory=800
        ),
    },
    "wrong captions": {
        "a third wrong": SyntheticRecipe(caption_noise=0.3),
        "most wrong": SyntheticRecipe(caption_noise=0.6, topics=50),
    },
    "shift": {
        "new content": SyntheticRecipe(content_shift=1.0),
        "new look": SyntheticRecipe(private_shift=1.0),
    },
    "distortion": {
        "distorted": SyntheticRecipe(distortion=0.7),
        "distorted, nonlinear": SyntheticRecipe(distortion=1.0, nonlinear=0.5),
    },
    "private content": {
        "much private": SyntheticRecipe(private=(1.2, 1.2)),
        "one side private": SyntheticRecipe(private=(1.5, 0.3), item_noise=(0.3, 1.0)),
    },
}


@dataclass(frozen=True)
class BankWorld:
    """A world, its family, and whether its galleries show other content than its memories."""

    world: World
    family: str
    shifted: bool


def bank(seed: int = 0) -> Iterator[BankWorld]:
    """Every world of the bank, drawn with a seed."""
    for recipes in RECIPES.values():
        for name in recipes:
            yield bank_world(name, seed)


def bank_world(name: str, seed: int = 0) -> BankWorld:
    """One world by name; raises `IsthmusError` for a name the bank does not have."""
    names = [own for recipes in RECIPES.values() for own in recipes]
    if name not in names:
        raise IsthmusError(f"no world {name!r} in the bank: it has {', '.join(names)}")
    family = next(family for family, recipes in RECIPES.items() if name in recipes)
    recipe = RECIPES[family][name]
    world = synthetic_world(name, recipe, seed=1000 * seed + names.index(name))
    return BankWorld(world, family, shifted=recipe.content_shift > 0)
