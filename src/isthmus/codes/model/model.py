"""`CodeModel`: heads for any number of views, one codebook, and summaries that join continuous and discrete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.losses import (
    floored,
    log_code_distribution,
    log_mean_distribution,
    log_plain_code_distribution,
    squared_distances,
)
from isthmus.codes.model.batch import TokenBatch
from isthmus.codes.model.codebook import Codebook, straight_through
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.heads import TokenHead
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens

DISTRIBUTIONS = {"squared": log_code_distribution, "plain": log_plain_code_distribution}
INFERENCE_ITEMS = 512


@dataclass(frozen=True)
class View:
    """One kind of input: tokens of a modality in a space, and the dimensions of its tokens and pooled vectors."""

    modality: str
    space: str
    dim: int
    pooled_dim: int

    @classmethod
    def of(cls, tokens: Tokens, pooled: Embeddings) -> View:
        """The view that tokens and pooled vectors of the same items are of."""
        return cls(tokens.modality, tokens.space, tokens.dim, pooled.dim)


@dataclass(frozen=True)
class Seen:
    """What a batch of one view's items became.

    ``projected`` are its tokens, ``chosen`` their codes, ``squared`` the squared distances to all codes; ``log_codes``
    are the logarithms of the items' code distributions.
    """

    projected: Float[Tensor, "tokens code_dim"]
    chosen: Int[Tensor, " tokens"]
    squared: Float[Tensor, "tokens codes"]
    log_codes: Float[Tensor, "items codes"]
    summary: Float[Tensor, "items summary_dim"]


class ViewParts(nn.Module):
    """What the model has of its own for one view: a head for tokens, and the two layers of its summary (B.3).

    The continuous layer starts as the identity: a summary starts from the pooled vector of a trained encoder.
    """

    def __init__(self, view: View, summary_dim: int, config: CodesConfig) -> None:
        super().__init__()
        self.head = TokenHead(view.dim, config.code_dim, config.normalisation, config.squared_norm)
        self.continuous = nn.Linear(view.pooled_dim, summary_dim)
        self.discrete = nn.Linear(config.code_dim, summary_dim)
        with torch.no_grad():
            self.continuous.weight.copy_(torch.eye(summary_dim, view.pooled_dim))
            self.continuous.bias.zero_()


class CodeModel(nn.Module):
    """Cross-modal codes (papers B): for each view a head and a summary, and one codebook for all of them.

    ``views`` are known by name. Made by `fit_codes` or `load`; ``facts`` say what it was trained on and how well its
    codes are shared.
    """

    def __init__(
        self,
        views: Mapping[str, View],
        config: CodesConfig,
        facts: Mapping[str, Any] | None = None,
        summary_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.views, self.config, self.facts = dict(views), config, dict(facts or {})
        self.codebook = Codebook(config.codes, config.code_dim, decay=config.decay, revive_after=config.revive_after)
        self.summary_dim = summary_dim or min(view.pooled_dim for view in views.values())
        self.kept: frozenset[str] = frozenset()
        self.parts = nn.ModuleDict({name: ViewParts(view, self.summary_dim, config) for name, view in views.items()})

    @classmethod
    def load(cls, folder: str | Path) -> CodeModel:
        """Read what `save` wrote. Raises `IsthmusError` naming the file that is absent, cut short or altered."""
        from isthmus.codes.model.files import read_codes

        return read_codes(Path(folder))

    def save(self, folder: str | Path) -> Path:
        """Write config, weights and model card to a folder; returns it."""
        from isthmus.codes.model.files import write_codes

        return write_codes(self, Path(folder))

    def push_to_hub(self, repo_id: str, *, private: bool = False, token: str | None = None) -> str:
        """Send the codes and their model card to the Hugging Face hub; returns the commit's address."""
        from isthmus.artifacts.hub import push_folder

        return push_folder(self.save, repo_id, private=private, token=token, message=f"{len(self.codebook)} codes")

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None, token: str | None = None) -> CodeModel:
        """Codes of the hub by their repository's name, or of a local folder."""
        from isthmus.artifacts.hub import fetched_folder

        return cls.load(fetched_folder(str(name), revision=revision, token=token))

    def extended(self, views: Mapping[str, View]) -> CodeModel:
        """A copy with more views, in which nothing that this model has is ever trained: heads, summaries, codebook."""
        larger = CodeModel({**self.views, **views}, self.config, self.facts, self.summary_dim)
        larger.load_state_dict(self.state_dict(), strict=False)
        larger.kept = frozenset(self.views)
        for name in larger.kept:
            larger.parts[name].requires_grad_(False)
        return larger

    def train(self, mode: bool = True) -> CodeModel:
        """Training mode for all that is not kept as it is."""
        super().train(mode)
        for name in self.kept:
            self.parts[name].eval()
        if self.kept:
            self.codebook.eval()
        return self

    def see(self, name: str, batch: TokenBatch, pooled: Float[Tensor, "items pooled_dim"]) -> Seen:
        """Project, assign, and sum up a batch: ``z = f_high(H) + f_code(mean H̄)`` (B.3)."""
        own = self._own(name)
        projected = own.head(batch.vectors)
        squared = squared_distances(projected, self.codebook.vectors)
        chosen = squared.detach().argmin(1)
        quantised = batch.uses(chosen, len(self.codebook)) @ self.codebook.vectors
        summary = own.continuous(pooled) + own.discrete(straight_through(batch.mean(projected), quantised))
        return Seen(projected, chosen, squared, self.log_codes(squared, batch), summary)

    def log_codes(self, squared: Float[Tensor, "tokens codes"], batch: TokenBatch) -> Float[Tensor, "items codes"]:
        """``log P(e_v | H)`` of each item (B.5), of its tokens' squared distances to the codes."""
        whole = log_mean_distribution(DISTRIBUTIONS[self.config.distance](squared), batch.item, batch.counts)
        return whole if self.config.logarithm == "exact" else floored(whole)

    def project(self, name: str, tokens: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens code_dim"]:
        """One view's tokens where the codes are."""
        projected: Tensor = self._own(name).head(tokens)
        return projected

    def view_of(self, tokens: Tokens, name: str | None = None) -> str:
        """The name of the view that tokens belong to. Raises `IsthmusError` where the model has none, or several."""
        fitting = [
            own
            for own, view in self.views.items()
            if (view.modality, view.space, view.dim) == (tokens.modality, tokens.space, tokens.dim)
        ]
        if name in fitting or (name is None and len(fitting) == 1):
            return name or fitting[0]
        known = "; ".join(f"{own}: {view.modality} in {view.space!r}, {view.dim}-d" for own, view in self.views.items())
        if len(fitting) > 1 and name is None:
            raise IsthmusError(f"{tokens!r} fit several views of the codes ({', '.join(fitting)}): give view=")
        raise IsthmusError(f"{tokens!r} fit no view of the codes: they know {known}; embed them by that encoder")

    def assign(self, tokens: Tokens, view: str | None = None) -> Int[np.ndarray, " tokens"]:
        """The code of every token."""
        found = [self.codebook.assign(projected) for projected, _ in self._projected(tokens, view)]
        return _joined(found, np.empty(0, np.int64))

    def item_codes(self, tokens: Tokens, view: str | None = None) -> Float[np.ndarray, "items codes"]:
        """``log P(e_v | H)`` of every item (B.5)."""
        found = [self.log_codes(self._squared(projected), batch) for projected, batch in self._projected(tokens, view)]
        return _joined(found, np.empty((0, len(self.codebook)), np.float32))

    def token_codes(self, tokens: Tokens, view: str | None = None) -> Float[np.ndarray, "tokens codes"]:
        """``log P(e_v | h)`` of every token (B.5)."""
        distribution = DISTRIBUTIONS[self.config.distance]
        found = [distribution(self._squared(projected)) for projected, _ in self._projected(tokens, view)]
        return _joined(found, np.empty((0, len(self.codebook)), np.float32))

    def token_vectors(self, tokens: Tokens, view: str | None = None) -> Float[np.ndarray, "tokens code_dim"]:
        """Every token where the codes are."""
        found = [projected for projected, _ in self._projected(tokens, view)]
        return _joined(found, np.empty((0, self.config.code_dim), np.float32))

    @torch.no_grad()
    def summarise(
        self, tokens: Tokens, pooled: Embeddings, view: str | None = None
    ) -> Float[np.ndarray, "items summary_dim"]:
        """``z`` of every item (B.3); rows of ``pooled`` are those of ``tokens``."""
        name = self.view_of(tokens, view)
        self.eval()
        found = [
            self.see(
                name,
                TokenBatch.of(tokens, rows, self.device),
                torch.from_numpy(pooled.vectors[rows]).to(self.device),
            ).summary
            for rows in _blocks(len(tokens))
        ]
        return _joined(found, np.empty((0, self.summary_dim), np.float32))

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        return self.codebook.vectors.device

    def _own(self, name: str) -> ViewParts:
        own = self.parts[name]
        assert isinstance(own, ViewParts)
        return own

    def _squared(self, projected: Float[Tensor, "tokens code_dim"]) -> Float[Tensor, "tokens codes"]:
        return squared_distances(projected, self.codebook.vectors)

    def _projected(self, tokens: Tokens, view: str | None) -> Iterator[tuple[Tensor, TokenBatch]]:
        name = self.view_of(tokens, view)
        self.eval()
        for rows in _blocks(len(tokens)):
            batch = TokenBatch.of(tokens, rows, self.device)
            with torch.no_grad():
                projected = self.project(name, batch.vectors)
            yield projected, batch


def _blocks(items: int) -> Iterator[np.ndarray]:
    for start in range(0, items, INFERENCE_ITEMS):
        yield np.arange(start, min(start + INFERENCE_ITEMS, items))


def _joined(blocks: list[Tensor], none: np.ndarray) -> np.ndarray:
    return np.concatenate([none, *(block.cpu().numpy() for block in blocks)]) if blocks else none
