"""The two spaces of the digits world: which towers and which wording each has."""

from __future__ import annotations

import torch

from isthmus.worlds.digits.spaces.recipe import SpaceRecipe
from isthmus.worlds.digits.spaces.towers import AudioTower, ImageTower
from isthmus.worlds.digits.wording import WORDINGS
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.spaces.text_towers import AttentiveText, RecurrentText

TEXT_TOWERS = {"attentive": AttentiveText, "recurrent": RecurrentText}
ITEM_TOWERS = {"image": ImageTower, "audio": AudioTower}


def build_space(modality: str, recipe: SpaceRecipe) -> ContrastiveSpace:
    """An untrained space named ``digits-<modality>``, its weights initialised from the recipe's seed."""
    wording = WORDINGS[recipe.wording]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        item_tower = ITEM_TOWERS[modality](recipe.width, recipe.dim)
        text_tower = TEXT_TOWERS[recipe.text_tower](len(wording.vocabulary), recipe.width, recipe.dim)
    return ContrastiveSpace(f"digits-{modality}", modality, wording, item_tower, text_tower)
