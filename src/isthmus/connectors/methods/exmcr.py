"""Ex-MCR: keep one space, the base, and map the other, the leaf, into it (Zhang et al., NeurIPS 2024).

A linear layer, at first the identity, brings the leaf's memory modality to its overlap modality; it learns from the
intra-space term alone. The projector after it maps the leaf into the base and learns from the inter-space terms alone.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.base.progress import OnProgress
from isthmus.base.space_names import require_leaf_name
from isthmus.connectors.config import ExmcrConfig, LeafProjector
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.losses import INTRA, SIGLIP_BIAS, contrastive_loss
from isthmus.connectors.methods.plugins import Plugins, plugged_projector
from isthmus.connectors.methods.projectors import FEW_OVERLAP_ROWS, clap_clip, folded, linear
from isthmus.connectors.overlap.centring import centres
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.pseudo.counterparts import TrainingSide, complete, every_counterpart, every_group
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.loop import train
from isthmus.training.processes import join_processes, my_share, training_device, weighted_share
from isthmus.training.repeats import repeats_of
from isthmus.training.schedule import Schedule, seed_of


def fit_exmcr(
    materials: Materials,
    config: ExmcrConfig,
    *,
    seed: int,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
    plugins: Plugins = Plugins(),  # noqa: B008
) -> Member:
    """Train the map of the leaf into the base; the base's head is the identity.

    Pseudo pairs are queried from every modality. With ``checkpoint`` (a file) the run is saved there and, started again
    with the same arguments, continues bit for bit. Raises `IsthmusError` if the leaf's name is unfit for one.
    """
    join_processes()
    place = training_device(device)
    sides = {"left": materials.left, "right": materials.right}
    of_leaf = "right" if config.base == "left" else "left"
    require_leaf_name(sides[of_leaf].space)
    leaf_centres = dict(zip(sides, centres(materials, config.centring), strict=True))[of_leaf]
    drawing = config.consistency, place, config.pair_weights
    base_side = TrainingSide.of(sides[config.base], {}, *drawing)
    leaf_side = TrainingSide.of(sides[of_leaf], leaf_centres, *drawing)
    rows = every_counterpart(base_side, leaf_side)

    draw = torch.Generator().manual_seed(seed_of(seed))
    dims = leaf_side.overlap.dim, base_side.overlap.dim
    if plugins.projector is None:
        projector = leaf_projector(config.projector, *dims, len(materials.left.overlap), draw)
    else:
        projector = plugged_projector(plugins.projector, *dims, draw)
    groups = every_group(base_side, leaf_side)
    scores = torch.stack(rows.scores)
    objective = ExmcrObjective(rows.left, rows.right, projector, config, groups, scores).to(place)
    schedule = Schedule.over(rows.left.shape[1], config.optimisation, seed)
    settings = (asdict(config), schedule, *plugins.facts().items())
    saved = Checkpoint.of(checkpoint, settings, [rows.left, rows.right, groups, scores])
    precision = config.optimisation.precision
    train(objective, schedule, precision=precision, checkpoint=saved, progress=progress)

    adapter = objective.adapter.requires_grad_(False).cpu()
    adapters = {memory.modality: adapter for memory in sides[of_leaf].memories}
    heads = {
        config.base: Head(nn.Sequential(), {}),
        of_leaf: Head(folded(objective.projector), leaf_centres, adapters),
    }
    source = "both" if adapters else "overlap"
    return Member(left=heads["left"], right=heads["right"], method="exmcr", source=source)


ModalityWeights = tuple[Tensor | None, Tensor | None]
"""Weights of the overlap modality's rows, which have none, and of the memory modality's."""


class ExmcrObjective(nn.Module):
    """``¼ (L_av + L_at + L_tv + L_tt)`` for the projector, ``L_intra`` for the adapter.

    ``base`` and ``leaf`` hold each space's rows ``(modalities, rows, dim)``: the overlap modality and, if the space
    has a memory, the memory modality. With fewer modalities there are fewer inter-space terms. Rows with equal
    ``groups`` (`training.repeats`) do not count as negatives. A term is weighted by the cycle ``scores`` of the
    memory rows in it, those of the base and of the leaf; without scores each weighs 1.
    """

    def __init__(
        self,
        base: Float[Tensor, "base_modalities rows db"],
        leaf: Float[Tensor, "leaf_modalities rows dl"],
        projector: nn.Sequential,
        config: ExmcrConfig,
        groups: Int[Tensor, "kinds rows"] | None = None,
        scores: Float[Tensor, "spaces rows"] | None = None,
    ) -> None:
        super().__init__()
        self.base, self.leaf, self.config = base, leaf, config
        self.adapter = identity_layer(leaf.shape[-1]).requires_grad_(len(leaf) == 2)
        self.projector = projector
        self.groups, self.scores = groups, scores
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS), requires_grad=config.contrast == "siglip")

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """The loss of the batch; completion noise comes from ``draw``."""
        base = self._completed(self.base, rows, draw)
        overlap, *memory = self._completed(self.leaf, rows, draw)
        adapted = [self.adapter(items) for items in memory]
        inputs = [overlap, *(items.detach() for items in adapted)]
        together = functional.normalize(self.projector(torch.cat(inputs)), dim=-1)
        projected = together.reshape(len(inputs), len(overlap), together.shape[1]).unbind()

        repeats = repeats_of(self.groups, rows)
        contrastive = contrastive_loss(self.config.contrast, self.config.temperature, self.bias, repeats)
        of_base, of_leaf = self._weights(rows)
        loss = torch.stack(
            [
                contrastive(mine, native, _product(first, second))
                for mine, first in zip(projected, of_leaf, strict=False)
                for native, second in zip(base, of_base, strict=False)
            ]
        ).mean()
        for items in adapted:
            loss = loss + INTRA[self.config.intra](overlap, functional.normalize(items, dim=-1), of_leaf[1])
        return weighted_share(loss, len(overlap), len(rows))

    def _weights(self, rows: Tensor) -> tuple[ModalityWeights, ModalityWeights]:
        """The weights of base and leaf rows: none for the overlap modality, the scores for the memory modality."""
        if self.scores is None:
            return (None, None), (None, None)
        base, leaf = my_share(self.scores.index_select(1, rows), dim=1)
        return (None, base), (None, leaf)

    def _completed(self, own: Tensor, rows: Tensor, draw: torch.Generator) -> Tensor:
        """The batch's rows with noise, this process's share of them: ``(modalities, share, dim)``."""
        return my_share(complete(own.index_select(1, rows), self.config.noise_variance, draw), dim=1)


def _product(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    given = [own for own in (first, second) if own is not None]
    return torch.stack(given).prod(0) if given else None


def leaf_projector(
    family: LeafProjector, leaf: int, base: int, overlap_rows: int, draw: torch.Generator
) -> nn.Sequential:
    """``(batch, leaf) → (batch, base)``: the published two MLPs with BatchNorm, or one linear layer."""
    if family == "linear" or (family == "auto" and overlap_rows < FEW_OVERLAP_ROWS):
        return linear(leaf, base, draw)
    return nn.Sequential(*clap_clip(leaf, base, draw), *clap_clip(base, base, draw))


def identity_layer(dim: int) -> nn.Linear:
    """A linear layer that starts as the identity."""
    layer = nn.Linear(dim, dim)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
