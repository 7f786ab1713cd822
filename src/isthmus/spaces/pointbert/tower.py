"""PointBERT, the point encoder of ULIP and ULIP-2 (Xue et al., CVPR 2023 and 2024), with the official weight names.

Takes xyz points. Farthest point sampling starts at the first point of a cloud.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from isthmus.spaces.pointbert.sampling import farthest_points, gathered, neighbours

WIDTH, DEPTH, HEADS = 384, 12, 6
GROUPS, GROUP_POINTS = 512, 32
PATCH_WIDTH = 256
HIDDEN = 128
NORM_EPS = 1e-5
CPU_GROUPS = 64
"""Groups encoded at once on a CPU; more would not fit its cache."""


class PatchEncoder(nn.Module):
    """A small PointNet: one vector per group of points."""

    def __init__(self) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(
            nn.Conv1d(3, HIDDEN, 1), nn.BatchNorm1d(HIDDEN), nn.ReLU(inplace=True), nn.Conv1d(HIDDEN, PATCH_WIDTH, 1)
        )
        self.second_conv = nn.Sequential(
            nn.Conv1d(2 * PATCH_WIDTH, 2 * PATCH_WIDTH, 1),
            nn.BatchNorm1d(2 * PATCH_WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv1d(2 * PATCH_WIDTH, PATCH_WIDTH, 1),
        )

    def forward(self, groups: Float[Tensor, "groups points 3"]) -> Float[Tensor, "groups width"]:
        """One vector per group; the order of its points does not matter."""
        at_once = CPU_GROUPS if groups.device.type == "cpu" else max(1, len(groups))
        return torch.cat([self._encoded(part) for part in groups.split(at_once)])

    def _encoded(self, groups: Float[Tensor, "groups points 3"]) -> Float[Tensor, "groups width"]:
        """Compute the half that depends on the whole group once per group, the other half per point."""
        layers: Any = self.first_conv
        enter, norm, _, leave = layers
        n_groups, n_points, _ = groups.shape
        each = pointwise(torch.relu_(norm(pointwise(groups.flatten(0, 1), enter))), leave)
        whole = each.unflatten(0, (n_groups, n_points)).amax(1)
        layers = self.second_conv
        enter, norm, _, leave = layers
        of_whole, of_each = enter.weight[..., 0].chunk(2, dim=1)
        shared = functional.linear(whole, of_whole, enter.bias).repeat_interleave(n_points, 0)
        both = torch.relu_(norm(shared.add_(functional.linear(each, of_each))))
        return pointwise(both, leave).unflatten(0, (n_groups, n_points)).amax(1)


def pointwise(rows: Float[Tensor, "rows inputs"], convolution: nn.Conv1d) -> Float[Tensor, "rows outputs"]:
    """A convolution of width 1 as a linear layer."""
    return functional.linear(rows, convolution.weight[..., 0], convolution.bias)


class Attention(nn.Module):
    """Multi-head self-attention; queries, keys and values come from one layer without bias."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, rows: Float[Tensor, "clouds tokens width"]) -> Float[Tensor, "clouds tokens width"]:
        """Every token attends to all tokens of its cloud."""
        split = self.qkv(rows).unflatten(2, (3, HEADS, WIDTH // HEADS))
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(queries, keys, values)
        found: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return found


class Mlp(nn.Module):
    """Two layers with an exact GELU between them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, rows: Float[Tensor, "clouds tokens width"]) -> Float[Tensor, "clouds tokens width"]:
        """Each token by itself."""
        found: Tensor = self.fc2(functional.gelu(self.fc1(rows)))
        return found


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, NORM_EPS)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(WIDTH, NORM_EPS)
        self.mlp = Mlp()

    def forward(self, rows: Float[Tensor, "clouds tokens width"]) -> Float[Tensor, "clouds tokens width"]:
        """Attention, then the MLP, each added to what came in."""
        rows = rows + self.attn(self.norm1(rows))
        found: Tensor = rows + self.mlp(self.norm2(rows))
        return found


class Blocks(nn.Module):
    """The blocks. Positions are added again before each one."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))

    def forward(
        self, rows: Float[Tensor, "clouds tokens width"], positions: Float[Tensor, "clouds tokens width"]
    ) -> Float[Tensor, "clouds tokens width"]:
        """``rows = block(rows + positions)`` over all blocks."""
        for block in self.blocks:
            rows = block(rows + positions)
        return rows


class PointBert(nn.Module):
    """The point tower: groups of points become tokens; its output is the class token and the maximum of the others."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = PatchEncoder()
        self.reduce_dim = nn.Linear(PATCH_WIDTH, WIDTH)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.cls_pos = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Sequential(nn.Linear(3, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, WIDTH))
        self.blocks = Blocks()
        self.norm = nn.LayerNorm(WIDTH, NORM_EPS)

    def forward(self, clouds: Float[Tensor, "clouds points 3"]) -> Float[Tensor, "clouds twice_width"]:
        """``(clouds, 768)``. A cloud needs 32 points; with fewer than 512, centres repeat."""
        return self.transformed(*self.grouped(clouds))

    def grouped(
        self, clouds: Float[Tensor, "clouds points 3"]
    ) -> tuple[Float[Tensor, "clouds groups 3"], Float[Tensor, "clouds groups members 3"]]:
        """The centres of the groups, and the points nearest to each relative to it."""
        centres = gathered(clouds, farthest_points(clouds, GROUPS))
        return centres, gathered(clouds, neighbours(centres, clouds, GROUP_POINTS)) - centres[:, :, None]

    def transformed(
        self, centres: Float[Tensor, "clouds groups 3"], groups: Float[Tensor, "clouds groups members 3"]
    ) -> Float[Tensor, "clouds twice_width"]:
        """The groups, as tokens, through the transformer."""
        n_clouds = len(centres)
        patches = self.encoder(groups.flatten(0, 1)).unflatten(0, (n_clouds, GROUPS))
        rows = torch.cat([self.cls_token.expand(n_clouds, -1, -1), self.reduce_dim(patches)], 1)
        positions = torch.cat([self.cls_pos.expand(n_clouds, -1, -1), self.pos_embed(centres)], 1)
        rows = self.norm(self.blocks(rows, positions))
        return torch.cat([rows[:, 0], rows[:, 1:].amax(1)], 1)
