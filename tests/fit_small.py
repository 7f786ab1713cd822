"""A small C-MCR fit for tests that kill its process, and as a program for those that start it by ``torchrun``.

``fit_small.py STEPS WEIGHTS`` writes the projectors' weights at the end.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.training import loop
from isthmus.training.config import OptimisationConfig
from isthmus.training.processes import this_process
from two_views import draw_materials


def fit(steps: int, weights: Path, checkpoint: Path | None = None) -> None:
    config = CmcrConfig(
        projector="clap-clip",
        optimisation=OptimisationConfig(epochs=1, min_steps=steps, batch_size=64),
    )
    member = fit_cmcr(draw_materials(texts=300, memory=200), config, seed=3, checkpoint=checkpoint)
    if this_process() == 0:
        heads = {"left": member.left.projector, "right": member.right.projector}
        save_file({f"{side}.{n}": t for side, head in heads.items() for n, t in head.state_dict().items()}, weights)


def fit_alone(steps: int, weights: Path, checkpoint: Path | None = None) -> None:
    """Fit in a process that has nothing else to do, with a checkpoint after every step."""
    torch.set_num_threads(1)
    loop.CHECKPOINT_SECONDS = 0.0
    fit(steps, weights, checkpoint)


if __name__ == "__main__":
    fit_alone(int(sys.argv[1]), Path(sys.argv[2]))
