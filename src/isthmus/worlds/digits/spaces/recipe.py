"""Recipes: everything besides the data that determines the two spaces."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

TextTowerName = Literal["attentive", "recurrent"]
REVISION = 1
"""Increased when a change of code makes the same recipe train other weights, so cached ones are not used."""


@dataclass(frozen=True)
class SpaceRecipe:
    """How one contrastive space is trained.

    ``wording`` names a set of phrasings, ``text_tower`` an architecture. Each of ``steps`` batches holds ``batch``
    sequences, the second half of which are near misses of the first half.
    """

    wording: str
    text_tower: TextTowerName
    seed: int
    steps: int
    batch: int = 256
    width: int = 128
    dim: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.1


@dataclass(frozen=True)
class Recipe:
    """The two spaces' recipes and the splits they are trained on.

    ``unseen_speaker`` is kept out of training; by default it is the last in alphabetical order.
    """

    image: SpaceRecipe = field(default_factory=lambda: SpaceRecipe("spelled", "attentive", seed=1, steps=500))
    audio: SpaceRecipe = field(default_factory=lambda: SpaceRecipe("read out", "recurrent", seed=2, steps=500))
    unseen_speaker: str | None = None
    split_seed: int = 0

    def fingerprint(self, source: str) -> str:
        """Sixteen hexadecimal digits that depend on the recipe and the fingerprint of the recordings."""
        content = json.dumps({"revision": REVISION, "source": source, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]
