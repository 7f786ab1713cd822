"""A training step of C-MCR against a straightforward implementation of the paper's loop.

    python benchmarks/training_step.py

Same weights, batches, noise and optimiser settings; losses are compared step by step, time as a ratio in one run.
The straightforward loop completes and projects each of the four embeddings separately, takes the cross-entropy in both
directions on a divided score matrix, and uses AdamW with its defaults.
"""

from __future__ import annotations

import argparse
import json
import time
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.methods.cmcr import CmcrObjective
from isthmus.connectors.methods.projectors import projector
from isthmus.training.config import OptimisationConfig
from isthmus.training.loop import train
from isthmus.training.schedule import Schedule, seed_of

ROWS, STEPS, ROUNDS = 50_000, 20, 3


def straightforward(
    left: Tensor, right: Tensor, heads: list[nn.Module], schedule: Schedule, config: CmcrConfig
) -> list[float]:
    """The loop of papers A.1 to A.7 on given pseudo pairs; returns the loss of each step."""
    optimiser = torch.optim.AdamW(
        [p for head in heads for p in head.parameters()], lr=schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    losses = []
    order = schedule.permutation(0)
    for step in range(schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.learning_rate_at(step)
        rows = order[step * schedule.batch_size : (step + 1) * schedule.batch_size]
        draw = torch.Generator().manual_seed(seed_of(schedule.seed, 1, step))
        views = []
        for space, head in ((left, heads[0]), (right, heads[1])):
            noisy = space[:, rows]
            noisy = noisy + config.noise_variance**0.5 * torch.randn(noisy.shape, generator=draw)
            noisy = functional.normalize(noisy, dim=-1)
            views.append(functional.normalize(head(torch.cat([noisy[0], noisy[1]])), dim=-1).chunk(2))
        (text_left, item_left), (text_right, item_right) = views
        loss = nce(text_left, text_right, config.temperature) + nce(item_left, item_right, config.temperature)
        intra = (
            0.5 * ((text_left - item_left) ** 2).sum(1).mean() + 0.5 * ((text_right - item_right) ** 2).sum(1).mean()
        )
        loss = loss + config.intra_weight * intra
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def nce(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE by cross-entropy."""
    scores = left @ right.T / temperature
    target = torch.arange(len(scores))
    return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2


def ours(objective: CmcrObjective, schedule: Schedule) -> list[float]:
    """Our loop; returns the loss of each step."""
    losses: list[float] = []
    objective.register_forward_hook(lambda module, given, loss: losses.append(loss.item()))
    train(objective, schedule)
    return losses


def main() -> None:
    """Print the time per step of both, their ratio, and the largest difference of their losses."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--batch", type=int, nargs="+", default=[512, 4096])
    options.add_argument("--dim", type=int, default=512)
    given = options.parse_args()
    draw = torch.Generator().manual_seed(0)
    left, right = (functional.normalize(torch.randn(2, ROWS, given.dim, generator=draw), dim=-1) for _ in range(2))
    config = CmcrConfig()
    for batch in given.batch:
        steps = STEPS if batch < 2048 else 6
        schedule = Schedule.over(ROWS, OptimisationConfig(epochs=1, min_steps=1, batch_size=batch), seed=0)
        schedule = Schedule(ROWS, batch, steps, schedule.learning_rate, schedule.weight_decay, 0)
        made = [projector("clap-clip", given.dim, given.dim, ROWS, draw) for _ in range(2)]
        times: dict[str, list[float]] = {"plain": [], "ours": []}
        for _ in range(ROUNDS):
            heads = [deepcopy(head).train() for head in made]
            started = time.perf_counter()
            plain = straightforward(left, right, heads, schedule, config)
            times["plain"].append((time.perf_counter() - started) / steps)
            objective = CmcrObjective(left, right, (deepcopy(made[0]), deepcopy(made[1])), config)
            started = time.perf_counter()
            found = ours(objective, schedule)
            times["ours"].append((time.perf_counter() - started) / steps)
        apart = max(abs(a - b) / b for a, b in zip(found, plain, strict=True))
        best = {name: min(values) for name, values in times.items()}
        print(
            json.dumps(
                {
                    "batch": batch,
                    "dim": given.dim,
                    "straightforward_ms": round(1e3 * best["plain"], 1),
                    "ours_ms": round(1e3 * best["ours"], 1),
                    "times_faster": round(best["plain"] / best["ours"], 2),
                    "largest_relative_loss_difference": float(f"{apart:.1e}"),
                    "steps": steps,
                }
            )
        )


if __name__ == "__main__":
    main()
