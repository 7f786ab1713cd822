"""Sharing of codes, measured on the training pairs without labels; it decides between starts and codebook sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.codes.learning.losses import code_matching
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.same_items import Groups, pair_groups
from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.health import HealthReport, health
from isthmus.codes.reading.use import Contrast, concept_overlap, use_of_items
from isthmus.training.processes import alone
from isthmus.training.repeats import repeats_of

REPORT_ITEMS = 1000
"""Items of each view, and pairs of each source, that the health report counts."""
MATCHED_PAIRS = 512
"""Pairs of each source on which starts are compared."""


@torch.no_grad()
def mismatch(
    model: CodeModel,
    items: Mapping[str, CodeItems],
    sources: Sequence[PairSource],
    matching: Callable[[Tensor, Tensor, Tensor | None], Tensor] = code_matching,
    groups: Groups | None = None,
) -> float:
    """The code matching loss (B.7) over a sample of each source's pairs, mean over sources.

    It is high for a start in which two concepts share a code: pairs that differ only in these concepts look the same.
    ``groups`` are the `pair_groups`, if they are known already.
    """
    model.eval()
    losses = []
    for source, own in zip(sources, pair_groups(items, sources) if groups is None else groups, strict=True):
        picked = np.arange(0, len(source), max(1, len(source) // MATCHED_PAIRS))[:MATCHED_PAIRS]
        sides = ((source.left, source.left_rows), (source.right, source.right_rows))
        left, right = (
            model.outputs(name, *items[name].batch(rows[picked], model.device)).log_codes for name, rows in sides
        )
        with alone():
            losses.append(matching(left, right, repeats_of(own, torch.from_numpy(picked))).item())
    return float(np.mean(losses))


def shared_use(model: CodeModel, items: Mapping[str, CodeItems], sources: Sequence[PairSource]) -> HealthReport:
    """How well the modalities share the codes, over a sample of the training items; needs no labels."""
    codes: dict[str, list[np.ndarray]] = {}
    for name, own in items.items():
        sample = own.tokens.take(_spread(len(own.tokens), REPORT_ITEMS))
        codes.setdefault(own.tokens.modality, []).append(model.assign(sample, name))
    overlap = {f"{source.left} and {source.right}": _overlap(model, items, source) for source in sources}
    return health({name: np.concatenate(own) for name, own in codes.items()}, len(model.codebook), overlap=overlap)


def _overlap(model: CodeModel, items: Mapping[str, CodeItems], source: PairSource) -> Contrast:
    picked = _spread(len(source), REPORT_ITEMS)
    uses = []
    for name, rows in ((source.left, source.left_rows), (source.right, source.right_rows)):
        distinct, place = np.unique(rows[picked], return_inverse=True)
        tokens = items[name].tokens.take(distinct)
        uses.append(use_of_items(model.assign(tokens, name), tokens.offsets, len(model.codebook))[place])
    return concept_overlap(*uses)


def _spread(count: int, most: int) -> Int[np.ndarray, " picked"]:
    """At most ``most`` row numbers, evenly spread over ``count`` rows."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
