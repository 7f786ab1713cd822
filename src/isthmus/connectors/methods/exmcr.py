"""Ex-MCR: one space is the base and stays as it is; the other, the leaf, is mapped into it.

A linear layer, the identity at first, brings the leaf's memory modality to the leaf's overlap modality; it learns
from the intra term alone. What follows maps the leaf into the base and learns from the four inter terms alone.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.base.progress import OnProgress
from isthmus.connectors.config import ExmcrConfig, LeafProjector
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.completion import complete
from isthmus.connectors.methods.losses import INTRA, SIGLIP_BIAS, contrastive_loss
from isthmus.connectors.methods.projectors import FEW_OVERLAP_ROWS, clap_clip, folded, linear
from isthmus.connectors.overlap.centring import centres
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.pseudo.counterparts import TrainingSide, every_counterpart
from isthmus.training.checkpoint import Checkpoint, fingerprint
from isthmus.training.loop import train
from isthmus.training.processes import join_processes, my_share, training_device
from isthmus.training.schedule import Schedule, seed_of


class ExmcrObjective(nn.Module):
    """``¼ (L_av + L_at + L_tv + L_tt)`` for the projector, ``L_intra`` for the adapter.

    ``base`` and ``leaf`` hold what each space knows of every row: the overlap modality's view and, where the space
    has a memory, the memory modality's; ``(views, rows, dim)``. With fewer views there are fewer inter terms.
    """

    def __init__(
        self,
        base: Float[Tensor, "base_views rows db"],
        leaf: Float[Tensor, "leaf_views rows dl"],
        projector: nn.Sequential,
        config: ExmcrConfig,
    ) -> None:
        super().__init__()
        self.base, self.leaf, self.config = base, leaf, config
        self.adapter = identity_layer(leaf.shape[-1]).requires_grad_(len(leaf) == 2)
        self.projector = projector
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS), requires_grad=config.contrast == "siglip")

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """The loss of the batch; completion noise comes from ``draw``."""
        base = self._completed(self.base, rows, draw)
        overlap, *memory = self._completed(self.leaf, rows, draw)
        adapted = [self.adapter(view) for view in memory]
        inputs = [overlap, *(view.detach() for view in adapted)]
        projected = functional.normalize(self.projector(torch.cat(inputs)), dim=-1).chunk(len(inputs))

        contrastive = contrastive_loss(self.config.contrast, self.config.temperature, self.bias)
        loss = torch.stack([contrastive(mine, native) for mine in projected for native in base]).mean()
        intra = INTRA[self.config.intra]
        for view in adapted:
            loss = loss + intra(overlap, functional.normalize(view, dim=-1))
        return loss

    def _completed(self, views: Tensor, rows: Tensor, draw: torch.Generator) -> Tensor:
        """The batch's views with noise, this process's share of them: ``(views, share, dim)``."""
        return my_share(complete(views.index_select(1, rows), self.config.noise_variance, draw), dim=1)


def fit_exmcr(
    materials: Materials,
    config: ExmcrConfig,
    *,
    seed: int,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
) -> Member:
    """Map one space into the other, whose own head is the identity.

    Pseudo pairs are queried from every modality at hand. With ``checkpoint`` (a file) the run is saved there and,
    started again with the same arguments, continues bit-exactly.
    """
    join_processes()
    place = training_device(device)
    sides = {"left": materials.left, "right": materials.right}
    of_leaf = "right" if config.base == "left" else "left"
    leaf_centres = dict(zip(sides, centres(materials, config.centring), strict=True))[of_leaf]
    base = TrainingSide.of(sides[config.base], {}, config.consistency, place)
    leaf = TrainingSide.of(sides[of_leaf], leaf_centres, config.consistency, place)
    base_views, leaf_views = every_counterpart(base, leaf)

    draw = torch.Generator().manual_seed(seed_of(seed))
    dims = leaf.overlap.dim, base.overlap.dim
    projector = leaf_projector(config.projector, *dims, len(materials.left.overlap), draw)
    objective = ExmcrObjective(base_views, leaf_views, projector, config).to(place)
    schedule = Schedule.over(base_views.shape[1], config.optimisation, seed)
    run = fingerprint(repr((asdict(config), schedule)), [base_views, leaf_views])
    train(objective, schedule, checkpoint=Checkpoint(checkpoint, run) if checkpoint else None, progress=progress)

    memory = sides[of_leaf].memory
    adapters = {} if memory is None else {memory.modality: objective.adapter.requires_grad_(False).cpu()}
    heads = {
        config.base: Head(nn.Sequential(), {}),
        of_leaf: Head(folded(objective.projector), leaf_centres, adapters),
    }
    source = "overlap" if memory is None else "both"
    return Member(left=heads["left"], right=heads["right"], method="exmcr", source=source)


def leaf_projector(
    family: LeafProjector, leaf: int, base: int, overlap_rows: int, draw: torch.Generator
) -> nn.Sequential:
    """``(batch, leaf) → (batch, base)``: the published two MLPs with BatchNorm, or one linear layer."""
    if family == "linear" or (family == "auto" and overlap_rows < FEW_OVERLAP_ROWS):
        return linear(leaf, base, draw)
    return nn.Sequential(*clap_clip(leaf, base, draw), *clap_clip(base, base, draw))


def identity_layer(dim: int) -> nn.Linear:
    """A linear layer that changes nothing yet."""
    layer = nn.Linear(dim, dim)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
