"""C-MCR: both spaces projected into a new one (papers A.1 to A.7)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.base.progress import OnProgress
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.completion import complete
from isthmus.connectors.methods.losses import INTRA, SIGLIP_BIAS, contrastive_loss, inter
from isthmus.connectors.methods.projectors import folded, projector
from isthmus.connectors.overlap.centring import centres
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.pseudo.counterparts import TrainingSide, overlap_counterparts
from isthmus.training.checkpoint import Checkpoint, fingerprint
from isthmus.training.loop import train
from isthmus.training.processes import join_processes, my_share, training_device
from isthmus.training.schedule import Schedule, seed_of


class CmcrObjective(nn.Module):
    """``L = L_inter + λ L_intra`` of a batch, over two projectors.

    ``left`` and ``right`` hold what each space knows of every overlap row: its native embedding and, where both
    sides have a memory, its pseudo counterpart; ``(views, rows, dim)`` with one or two views.
    """

    def __init__(
        self,
        left: Float[Tensor, "views rows dl"],
        right: Float[Tensor, "views rows dr"],
        projectors: tuple[nn.Sequential, nn.Sequential],
        config: CmcrConfig,
    ) -> None:
        super().__init__()
        self.left, self.right, self.config = left, right, config
        self.left_projector, self.right_projector = projectors
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS), requires_grad=config.contrast == "siglip")

    def forward(self, rows: Int[Tensor, " batch"], draw: torch.Generator) -> Float[Tensor, ""]:
        """The loss of the batch; completion noise comes from ``draw``."""
        left = self._views(self.left_projector, self.left, rows, draw)
        right = self._views(self.right_projector, self.right, rows, draw)
        contrastive = contrastive_loss(self.config.contrast, self.config.temperature, self.bias)
        if len(left) == 1:
            return contrastive(left[0], right[0])

        (text_left, item_left), (text_right, item_right) = left, right
        weights = self.config.overlap_weight, self.config.pseudo_weight
        loss = inter((text_left, text_right), (item_left, item_right), contrastive, weights)
        if self.config.intra_weight > 0:
            intra = INTRA[self.config.intra]
            attraction = intra(text_left, item_left) + intra(text_right, item_right)
            loss = loss + self.config.intra_weight * attraction
        return loss

    def _views(self, projector: nn.Module, pairs: Tensor, rows: Tensor, draw: torch.Generator) -> tuple[Tensor, ...]:
        """The batch's views completed, projected and normalised, ``(share, joint)`` each.

        Both views pass the projector together, so that its batch statistics are those of the whole space, as
        they are at inference. Every process draws the noise of the whole batch, so that all of them see what one would.
        """
        completed = complete(pairs.index_select(1, rows), self.config.noise_variance, draw)
        projected = projector(my_share(completed, dim=1).flatten(0, 1))
        return functional.normalize(projected, dim=-1).chunk(len(pairs))


def fit_cmcr(
    materials: Materials,
    config: CmcrConfig,
    *,
    seed: int,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
) -> Member:
    """Train both projectors on the overlap rows and their pseudo pairs.

    Without a memory on either side only the overlap term is used. With ``checkpoint`` (a file) the run is saved
    there and, started again with the same arguments, continues bit-exactly.
    """
    join_processes()
    place = training_device(device)
    left_centres, right_centres = centres(materials, config.centring)
    left_space = TrainingSide.of(materials.left, left_centres, config.consistency, place)
    right_space = TrainingSide.of(materials.right, right_centres, config.consistency, place)
    left, right = overlap_counterparts(left_space, right_space)

    draw = torch.Generator().manual_seed(seed_of(seed))
    dims = left.shape[-1], right.shape[-1]
    joint = config.joint_dim or min(dims)
    made = [projector(config.projector, dim, joint, left.shape[1], draw) for dim in dims]
    objective = CmcrObjective(left, right, (made[0], made[1]), config).to(place)
    schedule = Schedule.over(left.shape[1], config.optimisation, seed)
    run = fingerprint(repr((asdict(config), schedule)), [left, right])
    train(objective, schedule, checkpoint=Checkpoint(checkpoint, run) if checkpoint else None, progress=progress)
    return Member(
        left=Head(folded(objective.left_projector), left_centres),
        right=Head(folded(objective.right_projector), right_centres),
        method="cmcr",
        source="both" if len(left) == 2 else "overlap",
    )
