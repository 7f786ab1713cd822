"""The objective of code learning: ``L_MMS + α L_CMCM`` over every pair source, and the codebook's own step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.codes.learning.losses import code_matching, commitment, masked_margin_softmax
from isthmus.codes.learning.pairs import PairSource
from isthmus.codes.learning.use_log import UseWatch
from isthmus.codes.model.batch import TokenBatch
from isthmus.codes.model.model import CodeModel, Seen
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens
from isthmus.training.processes import mean_over_processes, my_share


@dataclass(frozen=True)
class CodeItems:
    """What is learned from in one view: tokens, and the pooled vectors of the same items, row by row."""

    tokens: Tokens
    pooled: Embeddings

    def batch(self, rows: Int[np.ndarray, " items"], device: torch.device) -> tuple[TokenBatch, Tensor]:
        """Tokens and pooled vectors of some items."""
        return TokenBatch.of(self.tokens, rows, device), torch.from_numpy(self.pooled.vectors[rows]).to(device)


class CodesObjective(nn.Module):
    """The loss of a batch drawn from every pair source; in training mode the codebook then learns from its tokens."""

    def __init__(self, model: CodeModel, items: Mapping[str, CodeItems], sources: Sequence[PairSource]) -> None:
        super().__init__()
        self.model, self.items, self.sources = model, items, sources
        self.watch = UseWatch()

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """The loss; as many pairs of each source as there are ``rows`` are drawn, none twice."""
        # In half precision a token's nearest code is another one: distances are differences of large numbers.
        with torch.autocast(self.model.device.type, enabled=False):
            return self._loss(rows, draw)

    def _loss(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        config, losses, seen = self.model.config, [], []
        for source in self.sources:
            left, right = self._pair(source, len(rows), draw)
            loss = masked_margin_softmax(left.summary, right.summary, config.margin)
            if config.matching_weight > 0:
                loss = loss + config.matching_weight * code_matching(left.log_codes, right.log_codes)
            losses.append(source.weight * loss)
            seen += [(source.left, left), (source.right, right)]
        if config.commitment > 0:
            losses += [config.commitment * self._commitment(one) / len(seen) for _, one in seen]
        self.model.codebook.update(self._gathered(seen), draw)
        return torch.stack(losses).sum()

    def _pair(self, source: PairSource, batch: int, draw: torch.Generator) -> tuple[Seen, Seen]:
        device = self.model.codebook.vectors.device
        picked = my_share(torch.randperm(len(source), generator=draw, device=draw.device)[:batch]).cpu().numpy()
        sides = ((source.left, source.left_rows), (source.right, source.right_rows))
        left, right = (self.model.see(name, *self.items[name].batch(rows[picked], device)) for name, rows in sides)
        return left, right

    def _commitment(self, seen: Seen) -> Float[Tensor, ""]:
        """The mean over all processes' tokens is that of their means, each weighed by its number of tokens."""
        tokens = torch.tensor(float(len(seen.chosen)), device=seen.chosen.device)
        return commitment(seen.squared, seen.chosen) * (tokens / mean_over_processes(tokens))

    def _gathered(self, seen: Sequence[tuple[str, Seen]]) -> Float[Tensor, "codes dim_and_one"]:
        """What the codebook learns from: where the config asks for balance, every modality counts as the smallest."""
        of: dict[str, list[Tensor]] = {}
        for name, one in seen:
            found = self.model.codebook.gathered(one.projected, one.chosen)
            of.setdefault(self.model.views[name].modality, []).append(found)
        each = torch.stack([torch.stack(own).sum(0) for own in of.values()])
        self.watch.note(dict(zip(of, each[:, :, -1], strict=True)))
        if self.model.config.balance == "equal":
            tokens = each[:, :, -1].sum(1)
            each = each * (tokens.min() / tokens)[:, None, None]
        return each.sum(0)
