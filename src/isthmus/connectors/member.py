"""A member: one pair of heads into one joint space. A connector is one member or a blend of several."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from isthmus.base.errors import IsthmusError
from isthmus.connectors.text_bridge import TextBridge


def recentred(rows: Float[Tensor, "rows dim"], centre: Float[Tensor, " dim"] | None) -> Float[Tensor, "rows dim"]:
    """Unit rows after subtracting the centre; without a centre, the rows unchanged."""
    return rows if centre is None else functional.normalize(rows - centre, dim=-1)


def unit(rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "rows dim"]:
    """Rows divided by their length; rows that are unit already, up to rounding, stay bit for bit the same."""
    lengths = rows.norm(dim=-1, keepdim=True)
    return torch.where((lengths - 1).abs() < 1e-6, rows, functional.normalize(rows, dim=-1))


def is_identity(weights: Float[Tensor, "inputs outputs"]) -> bool:
    """Whether a map changes nothing, as ridge's on the left: large products can then be skipped."""
    square = weights.shape[0] == weights.shape[1]
    return square and torch.equal(weights, torch.eye(len(weights), dtype=weights.dtype))


@dataclass(frozen=True)
class Head:
    """The map from one space into the joint space: subtract the modality's centre, project, normalize.

    ``centres`` maps a modality to a ``(dim,)`` vector; other modalities are not centred. ``adapters`` maps a modality
    to a linear layer that comes before the projector (Ex-MCR has one for the leaf's memory).
    """

    projector: nn.Sequential
    centres: dict[str, Tensor]
    adapters: dict[str, nn.Linear] = field(default_factory=dict)

    @cached_property
    def in_float64(self) -> Head:
        """The same head in double precision.

        A map fitted with a small penalty magnifies directions of little variance by up to a million. Single precision
        rounds them differently in every order of summation, so the result of a row would depend on its neighbours.
        """
        match list(self.projector):
            case [nn.Linear(bias=None, weight=weight)] if is_identity(weight):
                projector = nn.Sequential()
            case _:
                projector = copy.deepcopy(self.projector).double()
        return Head(
            projector,
            {modality: centre.double() for modality, centre in self.centres.items()},
            {modality: copy.deepcopy(layer).double() for modality, layer in self.adapters.items()},
        )

    @torch.no_grad()
    def project(self, rows: Float[Tensor, "rows dim"], modality: str) -> Float[Tensor, "rows joint"]:
        """Unit rows in the joint space, computed in float64 and returned in the precision of ``rows``."""
        exact = self.in_float64
        centred = recentred(rows.double(), exact.centres.get(modality))
        adapted = exact.adapters[modality](centred) if modality in exact.adapters else centred
        return unit(exact.projector(adapted)).to(rows.dtype)


@dataclass(frozen=True)
class Member:
    """The two heads into one joint space, and how they were made.

    Args:
        left: Head of the left space.
        right: Head of the right space.
        method: Name of the method that fitted the heads.
        source: Pairs they were fitted to: ``"overlap"``, ``"pseudo"`` or ``"both"``.
    """

    left: Head
    right: Head
    method: str
    source: str


def project_blend(
    heads: Sequence[Head], weights: Sequence[float], rows: Float[Tensor, "rows dim"], modality: str
) -> Float[Tensor, "rows joint"]:
    """Unit rows, in float64, with cosines that are the weighted mean of the members' cosines.

    The members' unit vectors are concatenated, each scaled by the square root of its share of the weights.
    """
    total = sum(weights)
    parts = [
        head.project(rows.double(), modality) * math.sqrt(weight / total)
        for head, weight in zip(heads, weights, strict=True)
    ]
    return torch.cat(parts, dim=1)


RowProjection = Callable[[Tensor, int, str], Tensor]
"""Raw rows of side 0 (left) or 1 (right) and their modality, to unit joint rows."""


def blend_projection(members: Sequence[Member], weights: Sequence[float]) -> RowProjection:
    """The projection of both sides' rows by a blend of members."""
    heads = [member.left for member in members], [member.right for member in members]
    return lambda rows, side, modality: project_blend(heads[side], weights, rows, modality).float()


def architecture(projector: nn.Sequential) -> list[dict[str, Any]]:
    """The projector's layers as plain data. Raises `IsthmusError` for a layer that cannot be saved."""
    layers: list[dict[str, Any]] = []
    for layer in projector:
        match layer:
            case nn.Linear():
                layers.append({"linear": [layer.in_features, layer.out_features], "bias": layer.bias is not None})
            case nn.BatchNorm1d(affine=True, track_running_stats=True):
                layers.append({"batchnorm": layer.num_features})
            case nn.LayerNorm(elementwise_affine=True) if layer.bias is not None and len(layer.normalized_shape) == 1:
                layers.append({"layernorm": layer.normalized_shape[0], "eps": layer.eps})
            case nn.ReLU():
                layers.append({"relu": True})
            case nn.GELU():
                layers.append({"gelu": layer.approximate})
            case TextBridge():
                layers.append(
                    {"text_bridge": [*layer.own.shape, layer.counterparts.shape[1]], "own_first": layer.own_first}
                )
            case _:
                raise IsthmusError(
                    f"a projector with a {type(layer).__name__} layer cannot be saved: use Linear, BatchNorm1d, "
                    "LayerNorm, ReLU and GELU"
                )
    return layers


def built_projector(layers: Sequence[dict[str, Any]]) -> nn.Sequential:
    """A projector of the given `architecture`, with fresh weights."""
    modules: list[nn.Module] = []
    for layer in layers:
        match layer:
            case {"linear": [inputs, outputs], "bias": bias}:
                modules.append(nn.Linear(inputs, outputs, bias=bias))
            case {"batchnorm": features}:
                modules.append(nn.BatchNorm1d(features))
            case {"layernorm": features, "eps": eps}:
                modules.append(nn.LayerNorm(features, eps))
            case {"relu": True}:
                modules.append(nn.ReLU())
            case {"gelu": approximate}:
                modules.append(nn.GELU(approximate))
            case {"text_bridge": [texts, dim, other], "own_first": first}:
                modules.append(TextBridge(texts, dim, other, own_first=first))
            case _:
                raise IsthmusError(
                    f"config.json: unknown projector layer {layer}: update isthmus to read this connector"
                )
    return nn.Sequential(*modules)
