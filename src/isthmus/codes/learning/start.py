"""Initialization: an untrained model with a codebook at k-means centres of the tokens of all modalities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from isthmus.codes.learning.pairs import CodeItems
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.training.schedule import seed_of

START_ITEMS = 2048
START_TOKENS = 8192
"""Items of each view, and tokens of each modality, that k-means sees."""


def build_model(
    items: Mapping[str, CodeItems], config: CodesConfig, seed: int, base: CodeModel | None = None
) -> CodeModel:
    """An untrained model with an initial codebook, or ``base`` with untrained views added; determined by the seed."""
    views = {name: View.of(own.tokens, own.pooled) for name, own in items.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, 2))
        if base is not None:
            return base.extended({name: view for name, view in views.items() if name not in base.views})
        model = CodeModel(views, config)
    draw = torch.Generator().manual_seed(seed_of(seed, 3))
    if config.start == "normal":
        model.codebook.start_normal(draw)
    else:
        model.codebook.start_from(_mixed_tokens(model, items, draw), draw)
    return model


@torch.no_grad()
def _mixed_tokens(model: CodeModel, items: Mapping[str, CodeItems], draw: torch.Generator) -> torch.Tensor:
    """Projected tokens, equally many of each modality, normalized as in training."""
    model.train()
    of: dict[str, list[torch.Tensor]] = {}
    for name, own in items.items():
        rows = torch.randperm(len(own.tokens), generator=draw)[:START_ITEMS].numpy()
        vectors = torch.from_numpy(own.tokens.rows(np.sort(rows)))
        of.setdefault(own.tokens.modality, []).append(model.project(name, vectors))
    pools = [torch.cat(own) for own in of.values()]
    fewest = min(START_TOKENS, *map(len, pools))
    return torch.cat([pool[torch.randperm(len(pool), generator=draw)[:fewest]] for pool in pools])
