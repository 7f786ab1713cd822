"""The codebook: one set of vectors for all modalities, each a moving average of the tokens assigned to it (B.8)."""

from __future__ import annotations

import torch
import torch.distributed as dist
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError
from isthmus.training.k_means import k_means, nearest
from isthmus.training.processes import processes

JITTER = 0.01
"""Distance of a revived code from the active code it restarts from, as a share of that code's length."""

VANISHED = 1e-30
"""Below this, sum and count of a code have lost their digits."""


class Codebook(nn.Module):
    """The codes ``vectors`` e ``(codes, dim)``, and the moving averages that make them: ``sums`` m, ``counts`` N.

    Only `update` changes them, and only in training mode: evaluation never moves a code.
    """

    vectors: Tensor
    sums: Tensor
    counts: Tensor
    idle: Tensor

    def __init__(self, codes: int, dim: int, *, decay: float = 0.99, revive_after: int = 100) -> None:
        super().__init__()
        self.decay, self.revive_after = decay, revive_after
        self.register_buffer("vectors", torch.zeros(codes, dim))
        self.register_buffer("sums", torch.zeros(codes, dim))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("idle", torch.zeros(codes, dtype=torch.long))

    def __len__(self) -> int:
        return len(self.vectors)

    def start_normal(self, draw: torch.Generator) -> None:
        """Start codes as in the paper: ``m_v ~ N(0, I), N_v = 1``."""
        self.start_at(torch.randn(self.vectors.shape, generator=draw))

    def start_from(self, tokens: Float[Tensor, "tokens dim"], draw: torch.Generator) -> None:
        """Start codes at k-means centres of ``tokens``, which should have equally many tokens of each modality.

        Raises `IsthmusError` if there are fewer tokens than codes, or one is not finite.
        """
        if len(tokens) < len(self):
            raise IsthmusError(
                f"{len(self)} codes need at least as many tokens to start from, got {len(tokens)}: use fewer codes"
            )
        if not torch.isfinite(tokens).all():
            raise IsthmusError("a projected token to start codes from is not finite: are its values too large?")
        self.start_at(k_means(tokens, len(self), draw))

    def start_at(self, vectors: Float[Tensor, "codes dim"]) -> None:
        """Start codes at given vectors."""
        self.vectors.copy_(vectors)
        self.sums.copy_(vectors)
        self.counts.fill_(1.0)
        self.idle.zero_()

    def assign(self, tokens: Float[Tensor, "tokens dim"]) -> Int[Tensor, " tokens"]:
        """The nearest code of each token (B.2)."""
        return nearest(tokens, self.vectors)

    def gathered(
        self, tokens: Float[Tensor, "tokens dim"], chosen: Int[Tensor, " tokens"]
    ) -> Float[Tensor, "codes dim_and_one"]:
        """The input of `update`: the sum and the number of each code's tokens, over all processes."""
        found = torch.zeros(len(self), tokens.shape[1] + 1, device=tokens.device)
        found[:, :-1].index_add_(0, chosen, tokens.detach())
        found[:, -1] = torch.bincount(chosen, minlength=len(self))
        if processes() > 1:
            dist.all_reduce(found)
        return found

    @torch.no_grad()
    def update(self, gathered: Float[Tensor, "codes dim_and_one"], draw: torch.Generator) -> None:
        """Make one step of the moving averages, then revive idle codes.

        ``N ← γN + (1-γ)·count``, ``m ← γm + (1-γ)·Σh``, ``e = m/N``.
        """
        if not self.training:
            return
        self.sums.lerp_(gathered[:, :-1], 1 - self.decay)
        self.counts.lerp_(gathered[:, -1], 1 - self.decay)
        # A new tensor, because the backward pass of this step still needs the old codes. A code whose count vanishes
        # because it was idle for long stays where it is.
        counts = self.counts[:, None]
        self.vectors = torch.where(counts > VANISHED, self.sums / counts, self.vectors)
        self.idle.add_(1).masked_fill_(gathered[:, -1] > 0, 0)
        self._revive(draw)

    def _revive(self, draw: torch.Generator) -> None:
        """Restart each idle code next to an active one with half of its mass: vector, sum and count together."""
        dead = (self.idle >= self.revive_after).nonzero()[:, 0]
        active = self.counts.masked_fill(self.idle > 0, 0)
        if len(dead) == 0 or active.sum() == 0:
            return
        for code in dead.tolist():
            parent = int(torch.multinomial(active, 1, generator=draw))
            vector = self.vectors[parent]
            noise = torch.randn(len(vector), generator=draw, device=vector.device)
            self.counts[parent] /= 2
            self.sums[parent] /= 2
            active[parent] /= 2
            self.vectors[code] = vector + JITTER * vector.norm() * noise / noise.norm()
            self.counts[code] = self.counts[parent]
            self.sums[code] = self.vectors[code] * self.counts[code]
            self.idle[code] = 0


def straight_through(
    given: Float[Tensor, "rows dim"], quantised: Float[Tensor, "rows dim"]
) -> Float[Tensor, "rows dim"]:
    """The values of codes with the gradient of the tokens assigned to them: ``h + sg(e - h)`` (B.2).

    It is linear, so it commutes with the mean over an item's tokens.
    """
    return given + (quantised - given).detach()
