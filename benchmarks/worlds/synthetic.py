"""Synthetic pairs of contrastive spaces with known truth, resembling CLIP and CLAP.

Content is a vector with a decaying spectrum, clustered in topics. Each space maps content in its own mildly nonlinear
way; each modality adds private content, noise, a distortion and an offset (the modality gap).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from isthmus.embeddings import Embeddings
from isthmus.worlds.world import Gallery, World

Cover = Literal["all", "half", "other", "little"]
PRIVATE_DIMS = 20
MODALITIES = ("left_text", "item_left", "right_text", "item_right")


@dataclass(frozen=True)
class SyntheticRecipe:
    """Properties of a synthetic world. Strengths are relative to the content a space shows, tuples (left, right)."""

    texts: int = 3000
    """Overlap rows."""
    memory: int = 3000
    """Items in each memory."""
    gallery: int = 600
    """Items of each modality in the gallery."""
    content: int = 80
    """Dimensions of content."""
    decay: float = 0.5
    """Content dimension k has a standard deviation proportional to k^-decay."""
    topics: int = 0
    """Number of topics content clusters in; 0 for none."""
    dims: tuple[int, int] = (128, 96)
    """Dimensions of the two spaces."""
    ranks: tuple[int, int] = (0, 0)
    """Content dimensions a space shows at full strength (the rest at a twentieth); 0 for all."""
    nonlinear: float = 0.3
    """Strength of the nonlinear part of a space's map."""
    text_noise: tuple[float, float] = (0.5, 0.5)
    """Noise of each side's texts."""
    item_noise: tuple[float, float] = (0.6, 0.6)
    """Noise of each side's items."""
    private: tuple[float, float] = (0.5, 0.5)
    """Private content of each side's items, in 20 dimensions; texts have half as much."""
    distortion: float = 0.0
    """Strength of a random linear distortion of each modality's content."""
    gap: float = 0.8
    """Offset of the items relative to their spread; texts are offset half as much."""
    cover: Cover = "all"
    """Which of the texts' topics the memories have: all, half, none, or an eighth of them in the right memory."""
    caption_noise: float = 0.0
    """Share of overlap rows whose right text is another row's."""
    content_shift: float = 0.0
    """Distance between the gallery's content and the memory's, in standard deviations."""
    private_shift: float = 0.0
    """Distance between the memory's private part and the gallery's, in standard deviations."""
    by_topic: bool = False
    """Items are counterparts if their topics agree; otherwise each has exactly one counterpart."""


class _Spaces:
    """The random maps of one world."""

    def __init__(self, recipe: SyntheticRecipe, draw: np.random.Generator) -> None:
        self.recipe, self.draw = recipe, draw
        spectrum = np.arange(1, recipe.content + 1, dtype=np.float64) ** -recipe.decay
        self.spectrum = spectrum / np.linalg.norm(spectrum)
        self.topics = draw.normal(size=(max(1, recipe.topics), recipe.content)) * self.spectrum * 1.2
        self.maps = [self._map(dim, rank) for dim, rank in zip(recipe.dims, recipe.ranks, strict=True)]
        self.bends = [draw.normal(size=(recipe.content, dim)) for dim in recipe.dims]
        self.distortions = {name: self._distortion(name) for name in MODALITIES}
        self.privates = {name: draw.normal(size=(PRIVATE_DIMS, self._dim(name))) for name in MODALITIES}
        offsets = {name: draw.normal(size=self._dim(name)) for name in MODALITIES}
        self.offsets = {name: offset / np.linalg.norm(offset) for name, offset in offsets.items()}

    def _dim(self, name: str) -> int:
        return self.recipe.dims[_side(name)]

    def _map(self, dim: int, rank: int) -> Float[np.ndarray, "content dim"]:
        whole = self.draw.normal(size=(self.recipe.content, dim))
        if rank == 0:
            return whole
        u, values, vt = np.linalg.svd(whole, full_matrices=False)
        values[rank:] *= 0.05
        return u * values @ vt

    def _distortion(self, name: str) -> Float[np.ndarray, "dim dim"]:
        dim = self._dim(name)
        return np.eye(dim) + self.recipe.distortion * self.draw.normal(size=(dim, dim)) / np.sqrt(dim)

    def contents(self, count: int, topics: Int[np.ndarray, " topics"]) -> tuple[np.ndarray, np.ndarray]:
        """Content vectors of some topics, and the topics."""
        content = self.draw.normal(size=(count, self.recipe.content)) * self.spectrum
        if self.recipe.topics == 0:
            return content, np.zeros(count, dtype=np.int64)
        chosen = self.draw.choice(topics, count)
        return 0.6 * content + self.topics[chosen], chosen

    def embed(
        self, content: Float[np.ndarray, "n content"], name: str, noise: float, private: float, shift: float = 0.0
    ) -> Float[np.ndarray, "n dim"]:
        """Content as one modality of one space shows it."""
        side = _side(name)
        shown = content @ self.maps[side] + self.recipe.nonlinear * np.tanh(2 * content @ self.bends[side])
        shown = shown @ self.distortions[name]
        spread = shown.std()
        own = self.draw.normal(size=(len(shown), PRIVATE_DIMS)) + shift
        shown = shown + spread * noise * self.draw.normal(size=shown.shape)
        shown = shown + spread * private * own @ self.privates[name] / np.sqrt(PRIVATE_DIMS)
        shown = shown / np.sqrt((shown**2).sum(1).mean())
        offset = self.recipe.gap * (1.0 if name.startswith("item") else 0.5)
        return shown + offset * self.offsets[name]


def synthetic_world(name: str, recipe: SyntheticRecipe, seed: int) -> World:
    """Draw a world. The same recipe and seed give the same world."""
    draw = np.random.default_rng(seed)
    spaces = _Spaces(recipe, draw)
    text_topics, left_topics, right_topics = _topics(recipe)
    texts, _ = spaces.contents(recipe.texts, text_topics)
    twins = texts.copy()
    wrong = draw.random(recipe.texts) < recipe.caption_noise
    twins[wrong] = texts[draw.permutation(recipe.texts)][wrong]
    left_items, _ = spaces.contents(recipe.memory, left_topics)
    right_items, _ = spaces.contents(recipe.memory, right_topics)

    half = (recipe.private[0] / 2, recipe.private[1] / 2)
    text_rows = [
        spaces.embed(rows, MODALITIES[2 * side], recipe.text_noise[side], half[side])
        for side, rows in enumerate((texts, twins))
    ]
    item_rows = [
        _items(spaces, rows, side, recipe.private_shift) for side, rows in enumerate((left_items, right_items))
    ]
    return World(
        name=name,
        overlap="text",
        left={"text": _set(text_rows[0], "text", "left"), "image": _set(item_rows[0], "image", "left")},
        right={"text": _set(text_rows[1], "text", "right"), "audio": _set(item_rows[1], "audio", "right")},
        galleries={"test": _gallery(recipe, spaces, np.intersect1d(left_topics, right_topics))},
    )


def _gallery(recipe: SyntheticRecipe, spaces: _Spaces, topics: Int[np.ndarray, " topics"]) -> Gallery:
    content, left_concepts = spaces.contents(recipe.gallery, topics)
    content = content + recipe.content_shift * spaces.draw.normal(size=recipe.content) * spaces.spectrum
    if recipe.by_topic:
        other, right_concepts = spaces.contents(recipe.gallery, topics)
    else:
        other, left_concepts = content, np.arange(recipe.gallery)
        right_concepts = left_concepts
    return Gallery(
        left=_set(_items(spaces, content, 0), "image", "left"),
        right=_set(_items(spaces, other, 1), "audio", "right"),
        left_concepts=left_concepts,
        right_concepts=right_concepts,
    )


def _items(spaces: _Spaces, content: np.ndarray, side: int, shift: float = 0.0) -> np.ndarray:
    recipe = spaces.recipe
    return spaces.embed(content, MODALITIES[2 * side + 1], recipe.item_noise[side], recipe.private[side], shift)


def _topics(recipe: SyntheticRecipe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Topics of the texts, of the left memory and of the right memory."""
    count = max(1, recipe.topics)
    every = np.arange(count)
    match recipe.cover:
        case "all":
            return every, every, every
        case "half":
            return every[: 2 * count // 3], every[count // 3 :], every[count // 3 :]
        case "other":
            return every[: count // 2], every[count // 2 :], every[count // 2 :]
        case "little":
            return every, every, every[: max(2, count // 8)]


def _side(name: str) -> int:
    return int(name.endswith("right") or name.startswith("right"))


def _set(rows: np.ndarray, modality: str, space: str) -> Embeddings:
    ids = range(len(rows))  # text i is the same in both spaces, and so are the gallery's counterparts
    return Embeddings.from_array(rows.astype(np.float32), modality=modality, space=space, ids=ids)
