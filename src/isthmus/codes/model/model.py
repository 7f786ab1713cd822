"""`CodeModel`: a head and a summary for each view, one codebook for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.artifacts.folder import fill
from isthmus.artifacts.hub import HubModel
from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.codes.model.codebook import Codebook, straight_through
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.distribution import (
    floored,
    log_code_distribution,
    log_mean_distribution,
    log_plain_code_distribution,
    squared_distances,
)
from isthmus.codes.model.files import SavedCodes, read_codes, write_codes
from isthmus.codes.model.heads import ViewParts
from isthmus.codes.model.view import TokenBatch, View, ViewOutputs, require_finite_tokens
from isthmus.embeddings import Embeddings
from isthmus.embeddings.pairing import require_same_items
from isthmus.embeddings.tokens import Tokens

DISTRIBUTIONS = {"squared": log_code_distribution, "plain": log_plain_code_distribution}
INFERENCE_ITEMS = 512


class CodeModel(nn.Module, HubModel):
    """Discrete codes shared by several modalities: a head and a summary for each view, and one codebook for all.

    Made by `fit_codes`, `load` or `from_pretrained`. Implements Cross-Modal Discrete Representation Learning (Liu et
    al., ACL 2022, arXiv 2106.05438).

    Args:
        views: The kinds of input by name.
        config: Options the model was trained with.
        facts: What it was trained on (``sources``), how well its codes are shared (``health``), and the ``seed``.
        summary_dim: Dimension of summaries; by default that of the smallest pooled vectors.
        floor: Added to the probabilities of items before the logarithm is taken. 0 except for models that 0.1 trained
            with floored logarithms.

    Example:
        >>> import numpy as np
        >>> from isthmus import Tokens
        >>> view = View("audio", "clap", dim=3, pooled_dim=2)
        >>> model = CodeModel({"audio": view}, CodesConfig(codes=4, code_dim=2))
        >>> rows, places = np.ones((2, 3), np.float32), np.array([[0, 1], [1, 2]], np.float32)
        >>> tokens = Tokens.from_arrays(rows, np.array([0, 2]), places, modality="audio", space="clap", unit="seconds")
        >>> model.assign(tokens).shape, model.item_codes(tokens).shape
        ((2,), (1, 4))
    """

    def __init__(
        self,
        views: Mapping[str, View],
        config: CodesConfig,
        facts: Mapping[str, Any] | None = None,
        summary_dim: int | None = None,
        floor: float = 0.0,
    ) -> None:
        super().__init__()
        self.views, self.config, self.facts, self.floor = dict(views), config, dict(facts or {}), floor
        self.codebook = Codebook(config.codes, config.code_dim, decay=config.decay, revive_after=config.revive_after)
        self.summary_dim = summary_dim or min(view.pooled_dim for view in views.values())
        self.frozen: frozenset[str] = frozenset()
        self.parts = nn.ModuleDict({name: ViewParts(view, self.summary_dim, config) for name, view in views.items()})

    @classmethod
    def load(cls, path: str | Path) -> CodeModel:
        """Read what `save` wrote.

        Raises:
            IsthmusError: A file is missing, cut short or altered; the error names it.
        """

        def make(saved: SavedCodes) -> CodeModel:
            with torch.device("meta"):
                model = cls(saved.views, saved.config, saved.facts, saved.summary_dim, saved.floor)
            fill(model, saved.tensors)
            return model.eval()

        return read_codes(user_path(path), make)

    def save(self, path: str | Path) -> Path:
        """Write ``config.json``, ``model.safetensors`` and the model card to a folder; returns the folder.

        A code model that the folder has already is replaced: at every moment it can be loaded, the old or the new one.

        Raises:
            IsthmusError: The folder has something else, or a file cannot be written.
        """
        saved = SavedCodes(self.views, self.config, self.facts, self.summary_dim, self.floor, self.state_dict())
        return write_codes(saved, user_path(path))

    def extended(self, views: Mapping[str, View]) -> CodeModel:
        """A copy with more views, in which everything that this model has is frozen: heads, summaries, codebook."""
        larger = CodeModel({**self.views, **views}, self.config, self.facts, self.summary_dim, self.floor)
        larger.load_state_dict(self.state_dict(), strict=False)
        larger.frozen = frozenset(self.views)
        for name in larger.frozen:
            larger.parts[name].requires_grad_(False)
        return larger

    def train(self, mode: bool = True) -> CodeModel:
        """Switch everything that is not frozen to training mode."""
        super().train(mode)
        for name in self.frozen:
            self.parts[name].eval()
        if self.frozen:
            self.codebook.eval()
        return self

    def outputs(self, name: str, batch: TokenBatch, pooled: Float[Tensor, "items pooled_dim"]) -> ViewOutputs:
        """Project, assign and summarise a batch: ``z = f_high(H) + f_code(mean H̄)`` (B.3)."""
        own = self._own(name)
        projected = own.head(batch.vectors).float()
        # Half precision would change a token's nearest code: distances are differences of large numbers.
        with torch.autocast(self.device.type, enabled=False):
            squared = squared_distances(projected, self.codebook.vectors)
            chosen = squared.detach().argmin(1)
            quantised = batch.uses(chosen, len(self.codebook)) @ self.codebook.vectors
            mean, log_codes = straight_through(batch.mean(projected), quantised), self._log_codes(squared, batch)
        summary = (own.continuous(pooled) + own.discrete(mean)).float()
        return ViewOutputs(projected, chosen, squared, log_codes, summary)

    @torch.no_grad()
    def set_head(self, name: str, weights: Float[Tensor, "dim code_dim"], bias: Float[Tensor, " code_dim"]) -> None:
        """Set the linear layer of a view's tokens; codes no longer add to its summary, which was fit to other ones."""
        own = self._own(name)
        own.head.linear.weight.copy_(weights.T)
        own.head.linear.bias.copy_(bias)
        own.discrete.weight.zero_()
        own.discrete.bias.zero_()

    def project(self, name: str, tokens: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens code_dim"]:
        """Project tokens of one view into the space of the codes."""
        projected: Tensor = self._own(name).head(tokens)
        return projected

    def view_of(self, tokens: Tokens, name: str | None = None) -> str:
        """The name of the view that the tokens belong to.

        Raises:
            IsthmusError: No view fits, or several do and ``name`` does not choose one.
        """
        fitting = [
            own
            for own, view in self.views.items()
            if (view.modality, view.space, view.dim) == (tokens.modality, tokens.space, tokens.dim)
        ]
        if name in fitting or (name is None and len(fitting) == 1):
            return name or fitting[0]
        if len(fitting) > 1 and name is None:
            raise IsthmusError(
                f"{tokens!r} fit several views of the model ({', '.join(fitting)}): choose one with view="
            )
        known = "; ".join(f"{own}: {view.modality} in {view.space!r}, {view.dim}-d" for own, view in self.views.items())
        raise IsthmusError(f"{tokens!r} fit no view of the model ({known}): embed the items with one of these encoders")

    def assign(self, tokens: Tokens, view: str | None = None) -> Int[np.ndarray, " tokens"]:
        """The code of every token: the nearest one (B.2).

        Args:
            tokens: Tokens of one modality.
            view: Name of their view; needed only if several views have the same modality and space.

        Raises:
            IsthmusError: The model has no such view.
        """
        found = [self.codebook.assign(projected) for projected, _ in self._projected(tokens, view)]
        return _joined(found, np.empty(0, np.int64))

    def item_codes(self, tokens: Tokens, view: str | None = None) -> Float[np.ndarray, "items codes"]:
        """``log P(e_v | H)`` of every item (B.5); arguments as for `assign`."""
        found = [self._log_codes(self._squared(projected), batch) for projected, batch in self._projected(tokens, view)]
        if self.floor:
            found = [floored(each, self.floor) for each in found]
        return _joined(found, np.empty((0, len(self.codebook)), np.float32))

    def token_codes(self, tokens: Tokens, view: str | None = None) -> Float[np.ndarray, "tokens codes"]:
        """``log P(e_v | h)`` of every token (B.5); arguments as for `assign`."""
        distribution = DISTRIBUTIONS[self.config.distance]
        found = [distribution(self._squared(projected)) for projected, _ in self._projected(tokens, view)]
        return _joined(found, np.empty((0, len(self.codebook)), np.float32))

    def token_vectors(self, tokens: Tokens, view: str | None = None) -> Float[np.ndarray, "tokens code_dim"]:
        """Every token projected into the space of the codes; arguments as for `assign`."""
        found = [projected for projected, _ in self._projected(tokens, view)]
        return _joined(found, np.empty((0, self.config.code_dim), np.float32))

    @torch.no_grad()
    def summarise(
        self, tokens: Tokens, pooled: Embeddings, view: str | None = None
    ) -> Float[np.ndarray, "items summary_dim"]:
        """The summary ``z`` of every item (B.3).

        Args:
            tokens: Tokens of the items.
            pooled: Their pooled vectors, in the same order.
            view: As for `assign`.

        Raises:
            IsthmusError: Modality, space or ids of tokens and vectors differ, or the dimension is not the view's.
        """
        name = self.view_of(tokens, view)
        require_same_items(tokens, pooled)
        if pooled.dim != self.views[name].pooled_dim:
            raise IsthmusError(f"{pooled!r}: the view {name!r} has vectors of {self.views[name].pooled_dim} dimensions")
        self.eval()
        found = []
        for rows in _blocks(len(tokens)):
            vectors = torch.from_numpy(pooled.vectors[rows]).to(self.device)
            found.append(self.outputs(name, _batch(tokens, rows, name, self.device), vectors).summary)
        return _joined(found, np.empty((0, self.summary_dim), np.float32))

    @property
    def device(self) -> torch.device:
        """The device that holds the model."""
        return self.codebook.vectors.device

    def _own(self, name: str) -> ViewParts:
        own = self.parts[name]
        assert isinstance(own, ViewParts)
        return own

    def _log_codes(self, squared: Float[Tensor, "tokens codes"], batch: TokenBatch) -> Float[Tensor, "items codes"]:
        return log_mean_distribution(DISTRIBUTIONS[self.config.distance](squared), batch.item, batch.counts)

    def _squared(self, projected: Float[Tensor, "tokens code_dim"]) -> Float[Tensor, "tokens codes"]:
        return squared_distances(projected, self.codebook.vectors)

    def _projected(self, tokens: Tokens, view: str | None) -> Iterator[tuple[Tensor, TokenBatch]]:
        name = self.view_of(tokens, view)
        self.eval()
        for rows in _blocks(len(tokens)):
            batch = _batch(tokens, rows, name, self.device)
            with torch.no_grad():
                projected = self.project(name, batch.vectors)
            yield projected, batch


def _batch(tokens: Tokens, rows: Int[np.ndarray, " items"], name: str, device: torch.device) -> TokenBatch:
    batch = TokenBatch.of(tokens, rows, device)
    if not torch.isfinite(batch.vectors).all():
        require_finite_tokens(tokens, rows, batch.vectors.cpu().numpy(), name)
    return batch


def _blocks(items: int) -> Iterator[np.ndarray]:
    for start in range(0, items, INFERENCE_ITEMS):
        yield np.arange(start, min(start + INFERENCE_ITEMS, items))


def _joined(blocks: list[Tensor], none: np.ndarray) -> np.ndarray:
    return np.concatenate([none, *(block.cpu().numpy() for block in blocks)]) if blocks else none
