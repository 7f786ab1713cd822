"""Recipes: everything besides the drawings and recordings that determines the two spaces."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

REVISION = 3
"""Increased when a change of code makes the same recipe train other weights, so cached ones are not used."""


@dataclass(frozen=True)
class ThingsSpaceRecipe:
    """How one contrastive space is trained.

    The first ``single_steps`` of ``steps`` batches hold ``singles`` scenes of one group each, which are cheap and
    teach what each thing looks or sounds like; the others hold ``batch`` scenes, half of them near misses of the
    other half.
    """

    seed: int
    steps: int
    single_steps: int
    batch: int = 96
    singles: int = 160
    width: int = 128
    dim: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05


@dataclass(frozen=True)
class ThingsRecipe:
    """The two spaces' recipes, and what is kept out of their training."""

    image: ThingsSpaceRecipe = field(default_factory=lambda: ThingsSpaceRecipe(seed=1, steps=2300, single_steps=1000))
    audio: ThingsSpaceRecipe = field(
        default_factory=lambda: ThingsSpaceRecipe(seed=2, steps=1300, single_steps=300, warm_up=0.1)
    )
    unseen_style: str = "twemoji"
    unseen_voice: str = "slt"
    split_seed: int = 0

    def fingerprint(self, source: str) -> str:
        """Sixteen hexadecimal digits that depend on the recipe and on the fingerprint of drawings and recordings."""
        content = json.dumps({"revision": REVISION, "source": source, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]
