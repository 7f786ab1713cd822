"""The objective of code training: ``L_MMS + α L_CMCM`` over every pair source, and the codebook's own step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.codes.learning.losses import code_matching, commitment, masked_margin_softmax
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.same_items import Groups, pair_groups
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import ViewOutputs
from isthmus.codes.reading.use import active, joint_use, perplexity
from isthmus.training.processes import mean_over_processes, my_share, processes, this_process, weighted_share
from isthmus.training.repeats import repeats_of

LOG = logging.getLogger(__name__)
COMMITMENT = 0.25
"""VQ-VAE's weight; the paper has no such term. It is no option, because without it no figure of the ablation in
docs/benchmarks.md changes by more than its spread over seeds. The same holds for `balanced`."""
LOG_STEPS = 100
"""Steps between two log lines about the use of codes."""


def balanced(of_modalities: Float[Tensor, "modalities codes dim_and_one"]) -> Float[Tensor, "codes dim_and_one"]:
    """The sums over modalities, each weighted as if it had as many tokens as the one with the fewest."""
    tokens = of_modalities[:, :, -1].sum(1)
    return (of_modalities * (tokens.min() / tokens)[:, None, None]).sum(0)


@dataclass(frozen=True)
class Terms:
    """The parts of the objective that a variant can replace; pass them to `fit_codes`.

    Args:
        matching: Loss of the log code distributions of two batches, row i of both being a pair, and of the mask of
            other rows that show the same item (None if there are none); lower is better. It also decides which restart
            is kept.
        commitment: Weight of the squared distance of tokens to their codes.
        pool: Combines the modalities for the codebook's update. Takes, for each modality and code, the sum of the
            code's tokens and their number in the last column; returns the same for all modalities together.

    Example:
        >>> Terms(commitment=0.0).matching.__name__
        'code_matching'
    """

    matching: Callable[[Tensor, Tensor, Tensor | None], Tensor] = code_matching
    commitment: float = COMMITMENT
    pool: Callable[[Tensor], Tensor] = balanced


OURS = Terms()


class CodesObjective(nn.Module):
    """The loss of a batch drawn from every pair source; in training mode it also updates the codebook.

    With ``bfloat16_layers`` the linear layers compute in bfloat16; otherwise nothing does, under any autocast.
    ``groups`` are the `pair_groups`, if they are known already.
    """

    def __init__(
        self,
        model: CodeModel,
        items: Mapping[str, CodeItems],
        sources: Sequence[PairSource],
        terms: Terms = OURS,
        bfloat16_layers: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__()
        self.model, self.items, self.sources, self.terms = model, items, sources, terms
        self.bfloat16_layers = bfloat16_layers
        self.groups = pair_groups(items, sources) if groups is None else groups
        self.use_log = UseLog()
        most = max(int(own.tokens.counts.max()) for own in items.values())
        self.thinned = most > model.config.tokens_per_item

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """This process's part of the loss of ``len(rows)`` pairs of each source, drawn without replacement."""
        losses, outputs = [], []
        for source, groups in zip(self.sources, self.groups, strict=True):
            picked = torch.randperm(len(source), generator=draw, device=draw.device)[: len(rows)]
            left, right = self._pair(source, my_share(picked).cpu().numpy(), self._chances(picked, draw))
            losses.append(source.weight * self._loss(left, right, picked, repeats_of(groups, picked)))
            outputs += [(source.left, left), (source.right, right)]
        if self.terms.commitment > 0:
            losses += [self.terms.commitment * self._commitment(one) / len(outputs) for _, one in outputs]
        self.model.codebook.update(self._gathered(outputs), draw)
        return torch.stack(losses).sum()

    def _chances(self, picked: Int[Tensor, " batch"], draw: torch.Generator) -> Sequence[np.ndarray | None]:
        """For both sides, which tokens this process's items are thinned to; None if no item has too many."""
        if not self.thinned:
            return None, None
        shape = len(picked), 2, self.model.config.tokens_per_item
        mine = my_share(torch.rand(shape, generator=draw, device=draw.device)).cpu().numpy()
        return mine[:, 0], mine[:, 1]

    def _pair(
        self, source: PairSource, picked: Int[np.ndarray, " share"], chances: Sequence[np.ndarray | None]
    ) -> tuple[ViewOutputs, ViewOutputs]:
        device = self.model.codebook.vectors.device
        sides = ((source.left, source.left_rows), (source.right, source.right_rows))
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bfloat16_layers):
            left, right = (
                self.model.outputs(name, *self.items[name].batch(rows[picked], device, own))
                for (name, rows), own in zip(sides, chances, strict=True)
            )
        return left, right

    def _loss(
        self, left: ViewOutputs, right: ViewOutputs, batch: Int[Tensor, " batch"], repeats: Tensor | None
    ) -> Float[Tensor, ""]:
        config = self.model.config
        # Distances and scores are differences of large numbers: half precision is for the layers before them.
        with torch.autocast(self.model.device.type, enabled=False):
            loss = masked_margin_softmax(left.summary, right.summary, config.margin, repeats)
            if config.matching_weight > 0:
                loss = loss + config.matching_weight * self.terms.matching(left.log_codes, right.log_codes, repeats)
        return weighted_share(loss, len(left.summary), len(batch))

    def _commitment(self, one: ViewOutputs) -> Float[Tensor, ""]:
        """The mean over the tokens of all processes: the mean of their means, weighted by their numbers of tokens."""
        tokens = torch.tensor(float(len(one.chosen)), device=one.chosen.device)
        of_all = mean_over_processes(tokens) * processes()
        return weighted_share(commitment(one.squared, one.chosen), len(one.chosen), of_all)

    def _gathered(self, outputs: Sequence[tuple[str, ViewOutputs]]) -> Float[Tensor, "codes dim_and_one"]:
        """The pooled sums and counts of the batch, for the codebook's update."""
        of: dict[str, list[Tensor]] = {}
        for name, one in outputs:
            found = self.model.codebook.gathered(one.projected, one.chosen)
            of.setdefault(self.model.views[name].modality, []).append(found)
        each = torch.stack([torch.stack(own).sum(0) for own in of.values()])
        self.use_log.add(dict(zip(of, each[:, :, -1], strict=True)))
        return self.terms.pool(each)


@dataclass
class UseLog:
    """Counts which modality uses which code, and logs joint use and perplexity every `LOG_STEPS` steps."""

    steps: int = 0
    counts: dict[str, Float[np.ndarray, " codes"]] = field(default_factory=dict)

    def add(self, counts: Mapping[str, Float[Tensor, " codes"]]) -> None:
        """Add the uses of every code in one step, by modality."""
        for modality, own in counts.items():
            self.counts[modality] = self.counts.get(modality, 0) + own.detach().cpu().numpy()
        self.steps += 1
        if self.steps % LOG_STEPS == 0:
            if this_process() == 0:
                LOG.info("over the last %d steps: %s", LOG_STEPS, self._line())
            self.counts = {}

    def _line(self) -> str:
        shares = np.stack([own / own.sum() for own in self.counts.values()])
        spread = ", ".join(f"{name} {value:.1f}" for name, value in zip(self.counts, perplexity(shares), strict=True))
        return f"joint use {joint_use(shares):.0%} of {active(shares).sum()} active codes, perplexity {spread}"
