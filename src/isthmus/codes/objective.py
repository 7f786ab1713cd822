"""The objective of code learning: ``L_MMS + α L_CMCM`` over every pair source, and the codebook's own step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.codes.losses import code_matching, commitment, masked_margin_softmax
from isthmus.codes.model import CodeModel, Seen
from isthmus.codes.pairs import PairSource
from isthmus.connecting.distributed import my_share
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens


@dataclass(frozen=True)
class Items:
    """What is learned from in one view: tokens, and the pooled vectors of the same items, row by row."""

    tokens: Tokens
    pooled: Embeddings

    def batch(self, rows: Int[np.ndarray, " batch"], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Padded tokens, which of them are there, and pooled vectors of some items."""
        vectors, present = self.tokens.padded(rows)
        arrays = (vectors, present, self.pooled.vectors[rows])
        return tuple(torch.from_numpy(array).to(device) for array in arrays)  # type: ignore[return-value]


class CodesObjective(nn.Module):
    """The loss of a batch drawn from every pair source; in training mode the codebook then learns from its tokens."""

    def __init__(self, model: CodeModel, items: Mapping[str, Items], sources: Sequence[PairSource]) -> None:
        super().__init__()
        self.model, self.items, self.sources = model, items, sources

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """The loss; as many pairs of each source as there are ``rows`` are drawn, none twice."""
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
        self._move_codebook(seen, draw)
        return torch.stack(losses).sum()

    def _pair(self, source: PairSource, batch: int, draw: torch.Generator) -> tuple[Seen, Seen]:
        device = self.model.codebook.vectors.device
        picked = my_share(torch.randperm(len(source), generator=draw, device=draw.device)[:batch]).cpu().numpy()
        sides = ((source.left, source.left_rows), (source.right, source.right_rows))
        left, right = (self.model.see(name, *self.items[name].batch(rows[picked], device)) for name, rows in sides)
        return left, right

    def _commitment(self, seen: Seen) -> Float[Tensor, ""]:
        return commitment(seen.projected[seen.present], self.model.codebook.vectors[seen.chosen])

    def _move_codebook(self, seen: Sequence[tuple[str, Seen]], draw: torch.Generator) -> None:
        """Equally many tokens of each modality where the config asks for balance, else all."""
        of: dict[str, list[Seen]] = {}
        for name, one in seen:
            of.setdefault(self.model.views[name].modality, []).append(one)
        tokens = [torch.cat([one.projected[one.present] for one in own]).detach() for own in of.values()]
        chosen = [torch.cat([one.chosen for one in own]) for own in of.values()]
        if self.model.config.balance == "equal":
            fewest = min(map(len, tokens))
            picks = [torch.randperm(len(own), generator=draw, device=draw.device)[:fewest] for own in tokens]
            tokens = [own[pick] for own, pick in zip(tokens, picks, strict=True)]
            chosen = [own[pick] for own, pick in zip(chosen, picks, strict=True)]
        self.model.codebook.update(torch.cat(tokens), torch.cat(chosen), draw)
