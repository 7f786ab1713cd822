"""A things world with untrained towers: everything but what the towers learn can be tested on it."""

import pytest

from isthmus.worlds.things.build import build_spaces, default_materials
from isthmus.worlds.things.spaces.recipe import ThingsRecipe, ThingsSpaceRecipe
from isthmus.worlds.things.things_world import ThingsWorld

SMALL = ThingsSpaceRecipe(seed=1, steps=6, single_steps=3, batch=8, singles=8, width=16, dim=16)


@pytest.fixture(scope="session")
def untrained() -> ThingsWorld:
    recipe = ThingsRecipe(SMALL, SMALL)
    spaces = build_spaces(recipe)
    for space in spaces:
        space.eval()
    return ThingsWorld(default_materials(recipe), recipe.split_seed, *spaces)
