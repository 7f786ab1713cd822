"""Projectors: the published architectures for any dimensions, and their folding into plain layers for inference."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from isthmus.connectors.config import ProjectorFamily
from isthmus.training.processes import SharedBatchNorm

FEW_OVERLAP_ROWS = 2000
"""With fewer overlap rows a linear projector is trained, because MLPs overfit to a few hundred texts.

With 800 captions the published MLP reached .60 of the paired oracle and a linear projector .80; with 12 000 texts
the MLP was level with the best closed form."""


def projector(
    family: ProjectorFamily, inputs: int, joint: int, overlap_rows: int, draw: torch.Generator
) -> nn.Sequential:
    """A projector ``(batch, inputs) → (batch, joint)`` of a family; ``auto`` chooses by the number of overlap rows."""
    if family == "auto":
        family = "linear" if overlap_rows < FEW_OVERLAP_ROWS else "clap-clip"
    build = {"clap-clip": clap_clip, "ulip-clip": ulip_clip, "linear": linear}[family]
    return build(inputs, joint, draw)


def clap_clip(inputs: int, joint: int, draw: torch.Generator) -> nn.Sequential:
    """The CLAP-CLIP projector: Linear, BatchNorm, ReLU, Linear, BatchNorm; its hidden width is twice the joint one."""
    return nn.Sequential(
        linear_layer(inputs, 2 * joint, draw),
        SharedBatchNorm(2 * joint),
        nn.ReLU(),
        linear_layer(2 * joint, joint, draw),
        SharedBatchNorm(joint),
    )


def ulip_clip(inputs: int, joint: int, draw: torch.Generator) -> nn.Sequential:
    """The ULIP-CLIP projector: Linear, BatchNorm, ReLU. Outputs are non-negative."""
    return nn.Sequential(linear_layer(inputs, joint, draw), SharedBatchNorm(joint), nn.ReLU())


def linear(inputs: int, joint: int, draw: torch.Generator) -> nn.Sequential:
    """One linear layer."""
    return nn.Sequential(linear_layer(inputs, joint, draw))


def linear_layer(inputs: int, outputs: int, draw: torch.Generator) -> nn.Linear:
    """A linear layer with Xavier-uniform weights drawn from the generator and a zero bias."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight, generator=draw)
    nn.init.zeros_(layer.bias)
    return layer


def linear_map(weights: Float[Tensor, "inputs outputs"]) -> nn.Sequential:
    """A linear projector of given weights, without a bias."""
    inputs, outputs = weights.shape
    layer = nn.Linear(inputs, outputs, bias=False)
    layer.weight = nn.Parameter(weights.T.contiguous(), requires_grad=False)
    return nn.Sequential(layer)


@torch.no_grad()
def folded(trained: nn.Sequential) -> nn.Sequential:
    """The same function as the trained projector in evaluation, with plain layers only.

    A BatchNorm is an affine map by its running statistics and is folded into the linear layer before it;
    two linear layers with nothing between them become one.
    """
    layers: list[nn.Module] = []
    for layer in trained:
        last = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm1d) and isinstance(last, nn.Linear):
            layers[-1] = _fold_batch_norm(last, layer)
        elif isinstance(layer, nn.Linear) and isinstance(last, nn.Linear):
            layers[-1] = _compose(last, layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval().requires_grad_(False).cpu()


def _fold_batch_norm(layer: nn.Linear, norm: nn.BatchNorm1d) -> nn.Linear:
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("a BatchNorm without running statistics cannot be folded")
    scale = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
    offset = (_bias(layer) - norm.running_mean.double()) * scale + norm.bias.double()
    return _affine(layer.weight.double() * scale[:, None], offset)


def _compose(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    weight = second.weight.double() @ first.weight.double()
    return _affine(weight, second.weight.double() @ _bias(first) + _bias(second))


def _bias(layer: nn.Linear) -> Float[Tensor, " outputs"]:
    return torch.zeros(layer.out_features, dtype=torch.float64) if layer.bias is None else layer.bias.double()


def _affine(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
    return layer
