"""Farthest point sampling and grouping, for many clouds at once in few operations."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

BLOCK = 64
"""Points per block. The largest distance of each block is kept, to search blocks first and then within one."""


def farthest_points(clouds: Float[Tensor, "clouds points 3"], count: int) -> Int[Tensor, "clouds {count}"]:
    """The numbers of ``count`` points of each cloud: the first point, then always the one farthest from those before.

    Distances are squared; ties go to the first point. With fewer points than ``count`` some repeat.
    """
    n_clouds, n_points, _ = clouds.shape
    padding = -n_points % BLOCK
    planes = [functional.pad(clouds[..., axis], (0, padding)).contiguous() for axis in range(3)]
    nearest = clouds.new_full((n_clouds, n_points + padding), torch.inf)
    nearest[:, n_points:] = -1
    blocks = nearest.view(n_clouds, -1, BLOCK)
    steps = [torch.empty_like(nearest) for _ in range(3)]
    largest = clouds.new_empty(blocks.shape[:2])
    row = torch.arange(n_clouds, device=clouds.device)
    found = torch.empty(n_clouds, count, dtype=torch.int64, device=clouds.device)
    current = torch.zeros(n_clouds, 1, dtype=torch.int64, device=clouds.device)
    for number in range(count):
        found[:, number : number + 1] = current
        for plane, step in zip(planes, steps, strict=True):
            torch.sub(plane, plane.gather(1, current), out=step)
        squared = steps[0].mul_(steps[0]).addcmul_(steps[1], steps[1]).addcmul_(steps[2], steps[2])
        torch.minimum(nearest, squared, out=nearest)
        torch.amax(blocks, 2, out=largest)
        block = largest.argmax(1)
        current = (block * BLOCK + blocks[row, block].argmax(1))[:, None]
    return found


def neighbours(
    centres: Float[Tensor, "clouds centres 3"], clouds: Float[Tensor, "clouds points 3"], count: int
) -> Int[Tensor, "clouds centres {count}"]:
    """The ``count`` points nearest to each centre, unordered. Holds the distances of one cloud at a time."""
    exact = "donot_use_mm_for_euclid_dist"
    found = [
        torch.cdist(own, cloud, compute_mode=exact).topk(count, largest=False, sorted=False).indices
        for own, cloud in zip(centres, clouds, strict=True)
    ]
    return torch.stack(found)


def gathered(
    clouds: Float[Tensor, "clouds points 3"], index: Int[Tensor, " clouds *wanted"]
) -> Float[Tensor, "clouds *wanted 3"]:
    """The points with these numbers."""
    flat = index.flatten(1)[..., None].expand(-1, -1, 3)
    return clouds.gather(1, flat).view(*index.shape, 3)
