"""C-MCR: train projectors of both spaces into a new joint space (Wang et al., NeurIPS 2023, arXiv 2305.14381)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.base.progress import OnProgress
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.losses import SIGLIP_BIAS, cmcr_loss
from isthmus.connectors.methods.plugins import CmcrBatch, LossTerm, Pair, Plugins, plugged_projector
from isthmus.connectors.methods.projectors import folded, projector
from isthmus.connectors.overlap.centring import centres
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.pseudo.counterparts import (
    Counterparts,
    TrainingSide,
    complete,
    overlap_counterparts,
    pair_groups,
)
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.loop import train
from isthmus.training.processes import join_processes, my_share, training_device, weighted_share
from isthmus.training.repeats import repeats_of
from isthmus.training.schedule import Schedule, seed_of


def fit_cmcr(
    materials: Materials,
    config: CmcrConfig,
    *,
    seed: int,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
    plugins: Plugins = Plugins(),  # noqa: B008
) -> Member:
    """Train both projectors on the overlap rows and their pseudo pairs.

    If a side has no memory, only the overlap term is used. With ``checkpoint`` (a file) the run is saved there and,
    started again with the same arguments, continues bit for bit.
    """
    join_processes()
    place = training_device(device)
    own = centres(materials, config.centring)
    drawing = config.consistency, place, config.pair_weights
    sides = zip((materials.left, materials.right), own, strict=True)
    rows = overlap_counterparts(*(TrainingSide.of(side, centre, *drawing) for side, centre in sides))
    groups = pair_groups(materials.left.overlap, materials.right.overlap)
    return train_cmcr(
        rows,
        groups,
        own,
        config,
        seed=seed,
        device=device,
        checkpoint=checkpoint,
        progress=progress,
        plugins=plugins,
    )


def train_cmcr(
    rows: Counterparts,
    groups: Int[Tensor, "kinds rows"] | None,
    own: tuple[dict[str, Tensor], dict[str, Tensor]],
    config: CmcrConfig,
    *,
    seed: int,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
    plugins: Plugins = Plugins(),  # noqa: B008
) -> Member:
    """Train on rows that are drawn already and centred by ``own``; ``groups`` are those of `pair_groups`."""
    join_processes()
    place = training_device(device)
    projectors = _projectors(config, plugins, rows.left, rows.right, seed)
    scores = torch.stack(rows.scores)
    objective = CmcrObjective(rows.left, rows.right, projectors, config, plugins.loss_terms, groups, scores).to(place)
    schedule = Schedule.over(rows.left.shape[1], config.optimisation, seed)
    settings = (asdict(config), schedule, *plugins.facts().items())
    saved = Checkpoint.of(checkpoint, settings, [rows.left, rows.right, groups, scores])
    precision = config.optimisation.precision
    train(objective, schedule, precision=precision, checkpoint=saved, progress=progress)
    return Member(
        left=Head(folded(objective.left_projector), own[0]),
        right=Head(folded(objective.right_projector), own[1]),
        method="cmcr",
        source="both" if len(rows.left) == 2 else "overlap",
    )


def _projectors(
    config: CmcrConfig, plugins: Plugins, left: Tensor, right: Tensor, seed: int
) -> tuple[nn.Sequential, nn.Sequential]:
    draw = torch.Generator().manual_seed(seed_of(seed))
    dims = left.shape[-1], right.shape[-1]
    joint = config.joint_dim or min(dims)
    if plugins.projector is None:
        made = [projector(config.projector, dim, joint, left.shape[1], draw) for dim in dims]
    else:
        made = [plugged_projector(plugins.projector, dim, joint, draw) for dim in dims]
    return made[0], made[1]


class CmcrObjective(nn.Module):
    """``L = L_inter + λ L_intra`` of a batch (the paper's equation 8), over two projectors, plus any loss terms.

    ``left`` and ``right`` hold each space's rows ``(modalities, rows, dim)``: its overlap rows and, if both sides
    have a memory, their pseudo counterparts. Rows with equal ``groups`` (`training.repeats`) do not count as
    negatives. ``scores`` are the cycle scores of both sides' pseudo counterparts; without them each weighs 1.
    """

    def __init__(
        self,
        left: Float[Tensor, "modalities rows dl"],
        right: Float[Tensor, "modalities rows dr"],
        projectors: tuple[nn.Sequential, nn.Sequential],
        config: CmcrConfig,
        loss_terms: Sequence[LossTerm] = (),
        groups: Int[Tensor, "kinds rows"] | None = None,
        scores: Float[Tensor, "sides rows"] | None = None,
    ) -> None:
        super().__init__()
        self.left, self.right, self.config = left, right, config
        self.left_projector, self.right_projector = projectors
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS), requires_grad=config.contrast == "siglip")
        self.loss_terms = tuple(loss_terms)
        self.groups, self.scores = groups, scores
        self.trained_terms = nn.ModuleList(term for term in loss_terms if isinstance(term, nn.Module))

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """The loss of the batch; completion noise comes from ``draw``."""
        left = self._projected(self.left_projector, self.left, rows, draw)
        right = self._projected(self.right_projector, self.right, rows, draw)
        overlap, pseudo = _pairs(left, right)
        cycles = None
        if self.scores is not None:
            of_left, of_right = my_share(self.scores.index_select(1, rows), dim=1)
            cycles = (of_left, of_right)
        loss = cmcr_loss(overlap, pseudo, self.config, self.bias, repeats_of(self.groups, rows), cycles)
        share = len(overlap[0])
        if self.loss_terms and share:
            native = [my_share(side.index_select(1, rows), dim=1) for side in (self.left, self.right)]
            batch = CmcrBatch(overlap, pseudo, *_pairs(*native))
            for term in self.loss_terms:
                loss = loss + term.weight * term(batch)
        return weighted_share(loss, share, len(rows))

    def _projected(self, projector: nn.Module, own: Tensor, rows: Tensor, draw: torch.Generator) -> tuple[Tensor, ...]:
        """The batch's rows completed, projected and normalized: ``(share, joint)`` for each modality.

        All modalities pass the projector together, so that its batch statistics are those of the whole space, as they
        are at inference. Every process draws the noise of the whole batch, so that the noise does not depend on how
        many processes there are.
        """
        completed = my_share(complete(own.index_select(1, rows), self.config.noise_variance, draw), dim=1)
        projected = functional.normalize(projector(completed.flatten(0, 1)), dim=-1)
        return projected.reshape(*completed.shape[:2], projected.shape[1]).unbind()


def _pairs(left: Sequence[Tensor] | Tensor, right: Sequence[Tensor] | Tensor) -> tuple[Pair, Pair | None]:
    """The overlap rows of both sides, and their pseudo counterparts if there are any."""
    return (left[0], right[0]), (left[1], right[1]) if len(left) == 2 else None
