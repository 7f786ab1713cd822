"""Initialization: an untrained model whose codes are clusters of tokens, or were translated from view to view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.translation import translate
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.training.schedule import seed_of

START_ITEMS = 2048
START_TOKENS = 8192
"""Items of each view, and tokens of each modality, that k-means sees."""
UNUSED = 5.0
"""How much less a code fits than any other if the data have fewer meanings than the codebook has codes."""


def build_model(
    items: Mapping[str, CodeItems],
    sources: Sequence[PairSource],
    config: CodesConfig,
    seed: int,
    base: CodeModel | None = None,
) -> CodeModel:
    """A model with initial heads and codebook, or ``base`` with untrained views added; determined by the seed."""
    views = {name: View.of(own.tokens, own.pooled) for name, own in items.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, 2))
        if base is not None:
            return base.extended({name: view for name, view in views.items() if name not in base.views})
        draw = torch.Generator().manual_seed(seed_of(seed, 3))
        if config.start == "translation":
            return _translated(views, items, sources, config, draw)
        model = CodeModel(views, config)
    if config.start == "normal":
        model.codebook.start_normal(draw)
    else:
        model.codebook.start_from(_mixed_tokens(model, items, draw), draw)
    return model


@torch.no_grad()
def _translated(
    views: Mapping[str, View],
    items: Mapping[str, CodeItems],
    sources: Sequence[PairSource],
    config: CodesConfig,
    draw: torch.Generator,
) -> CodeModel:
    """A model whose heads are the readers of a translation and whose codes are axes: a head's output is what it reads.

    ``-‖h - a e_v‖² = 2 a h_v`` plus what is the same for all codes, for axes e and their length a. Summaries stay the
    pooled vectors: no step of the gradient follows that would fit codes to them.
    """
    readers = translate(items, sources, config.codes, draw)
    codes = config.codes or max(2, len(next(iter(readers.values())).bias))
    model = CodeModel(views, replace(config, codes=codes, code_dim=codes, normalization="none"))
    length = config.squared_norm**0.5
    for name, reader in readers.items():
        unused = codes - len(reader.bias)
        weights = functional.pad(reader.weights, (0, unused))
        bias = functional.pad(reader.bias, (0, unused), value=reader.bias.min().item() - UNUSED)
        weights, bias = weights - weights.mean(1, keepdim=True), bias - bias.mean()
        model.set_head(name, weights / (2 * length), bias / (2 * length))
    model.codebook.start_at(length * torch.eye(codes))
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
