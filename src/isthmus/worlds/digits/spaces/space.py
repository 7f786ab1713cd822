"""A contrastive space: a tower for items and one for texts, trained so counterparts get similar unit vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from isthmus.worlds.digits.spaces.recipe import SpaceRecipe
from isthmus.worlds.digits.spaces.towers import AttentiveText, AudioTower, ImageTower, RecurrentText
from isthmus.worlds.digits.wording import WORDINGS, Wording

EMBED_ROWS = 256
TEXT_TOWERS = {"attentive": AttentiveText, "recurrent": RecurrentText}
ITEM_TOWERS = {"image": ImageTower, "audio": AudioTower}


class ContrastiveSpace(nn.Module):
    """``modality`` ("image" or "audio") and text in one space, named ``digits-<modality>``."""

    def __init__(self, modality: str, recipe: SpaceRecipe) -> None:
        super().__init__()
        self.modality = modality
        self.recipe = recipe
        self.wording: Wording = WORDINGS[recipe.wording]
        words = len(self.wording.vocabulary)
        self.item_tower = ITEM_TOWERS[modality](recipe.width, recipe.dim)
        self.text_tower = TEXT_TOWERS[recipe.text_tower](words, recipe.width, recipe.dim)

    @property
    def name(self) -> str:
        """The name that its embeddings carry."""
        return f"digits-{self.modality}"

    def encode_texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """Unit rows; raises `IsthmusError` for words outside the vocabulary."""
        return self.text_tower(torch.from_numpy(self.wording.tokens(texts)))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """As `encode_texts`, without gradient and in blocks."""
        blocks = [texts[start : start + EMBED_ROWS] for start in range(0, len(texts), EMBED_ROWS)]
        return torch.cat([self.encode_texts(block) for block in blocks])

    @torch.no_grad()
    def item_tokens(self, *batch: Tensor) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """Tokens of a batch of item inputs, and which of them are not padding."""
        return self.item_tower.tokens(*batch)  # type: ignore[operator]

    @torch.no_grad()
    def text_tokens(
        self, words: Int[Tensor, "batch words"]
    ) -> tuple[Float[Tensor, "batch words width"], Bool[Tensor, "batch words"]]:
        """Tokens of word numbers, and which of them are not padding."""
        return self.text_tower.tokens(words)  # type: ignore[operator]

    @torch.no_grad()
    def embed_items(self, inputs: Iterable[tuple[Tensor, ...]]) -> Float[Tensor, "items dim"]:
        """Unit rows of batches of item inputs: images, or frames and their lengths."""
        return torch.cat([self.item_tower(*batch) for batch in inputs])


def build_space(modality: str, recipe: SpaceRecipe) -> ContrastiveSpace:
    """An untrained space, its weights initialised from the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return ContrastiveSpace(modality, recipe)


def contrastive_loss(
    items: Float[Tensor, "batch dim"], texts: Float[Tensor, "batch dim"], scale: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE as in CLIP: the mean cross-entropy of items over texts and of texts over items."""
    logits = scale * items @ texts.T
    target: Int[Tensor, " batch"] = torch.arange(len(logits))
    cross_entropy = nn.functional.cross_entropy
    return (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
