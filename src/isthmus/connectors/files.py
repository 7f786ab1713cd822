"""A connector's folder: its fields as JSON, members and basis as named tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from isthmus.artifacts.folder import ModelFiles, fill, read_model
from isthmus.connectors.member import Head, Member, architecture, built_projector
from isthmus.connectors.trust.report import ConnectorReport
from isthmus.connectors.trust.scores import UnrelatedScores

FORMAT, KIND = "isthmus-connector-1", "connector"
Basis = Float[Tensor, "wide joint"]
Made = TypeVar("Made")


def named_tensors(members: Sequence[Member], basis: Basis | None) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its name on disk: ``basis``, ``members.<n>.<left|right>.<projector|centres|adapters>…``."""
    if basis is not None:
        yield "basis", basis
    for number, member in enumerate(members):
        for side, head in (("left", member.left), ("right", member.right)):
            prefix = f"members.{number}.{side}"
            for name, tensor in head.projector.state_dict().items():
                yield f"{prefix}.projector.{name}", tensor
            for modality, centre in head.centres.items():
                yield f"{prefix}.centres.{modality}", centre
            for modality, layer in head.adapters.items():
                for name, tensor in layer.state_dict().items():
                    yield f"{prefix}.adapters.{modality}.{name}", tensor


def connector_files(fields: Mapping[str, Any], space: str, card: str) -> ModelFiles:
    """The folder of a connector, from its fields, the name of its joint space and its model card."""
    members: Sequence[Member] = fields["members"]
    report: ConnectorReport | None = fields["report"]
    config = {
        "left_space": fields["left_space"],
        "right_space": fields["right_space"],
        "overlap": fields["overlap"],
        "space": space,
        "members": [_member_entry(member) for member in members],
        "weights": list(fields["weights"]),
        "config": dict(fields["config"]),
        "choice": dict(fields["choice"]),
        "report": report.as_dict() if report else None,
        "revisions": dict(fields["revisions"]),
        "scores": fields["scores"].as_dict(),
    }
    return ModelFiles(FORMAT, dict(named_tensors(members, fields["basis"])), config, card)


def read_connector(folder: Path, make: Callable[[dict[str, Any], str], Made]) -> Made:
    """What ``make`` makes of the fields of the saved connector and the name of its joint space.

    Raises `IsthmusError` naming the file that is missing, cut short or altered.
    """
    return read_model(folder, FORMAT, KIND, lambda config, tensors: make(_fields(config, tensors), config["space"]))


def _fields(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    members = tuple(_read_member(entry, f"members.{n}", tensors) for n, entry in enumerate(config["members"]))
    if not members or len(config["weights"]) != len(members):
        raise ValueError(f"{len(members)} members, {len(config['weights'])} weights")
    names = {name: config[name] for name in ("left_space", "right_space", "overlap")}
    weights = tuple(map(float, config["weights"]))
    if not all(isinstance(name, str) for name in names.values()) or names["left_space"] == names["right_space"]:
        raise ValueError(f"spaces and overlap {list(names.values())}")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not sum(weights) > 0:
        raise ValueError(f"weights {list(weights)}")
    return {
        **names,
        "members": members,
        "weights": weights,
        "config": config["config"],
        "choice": config["choice"],
        "report": ConnectorReport.from_dict(config["report"]) if config["report"] else None,
        "basis": tensors.get("basis"),
        "revisions": config.get("revisions", {}),
        "scores": UnrelatedScores.from_dict(config.get("scores")),
    }


def _member_entry(member: Member) -> dict[str, Any]:
    return {
        "method": member.method,
        "source": member.source,
        "left": architecture(member.left.projector),
        "right": architecture(member.right.projector),
    }


def _read_member(entry: Mapping[str, Any], prefix: str, tensors: Mapping[str, Tensor]) -> Member:
    left, right = (_read_head(entry[side], f"{prefix}.{side}.", tensors) for side in ("left", "right"))
    return Member(left=left, right=right, method=entry["method"], source=entry["source"])


def _read_head(layers: list[dict[str, Any]], prefix: str, tensors: Mapping[str, Tensor]) -> Head:
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    state = {n.removeprefix("projector."): t for n, t in own.items() if n.startswith("projector.")}
    with torch.device("meta"):
        projector = built_projector(layers)
    fill(projector, state)
    centres = {n.removeprefix("centres."): t for n, t in own.items() if n.startswith("centres.")}
    return Head(projector=projector.eval(), centres=centres, adapters=_read_adapters(own))


def _read_adapters(own: Mapping[str, Tensor]) -> dict[str, nn.Linear]:
    weights = {n: t for n, t in own.items() if n.startswith("adapters.") and n.endswith(".weight")}
    adapters = {}
    for name, weight in weights.items():
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": own[name.removesuffix("weight") + "bias"]})
        adapters[name.removeprefix("adapters.").removesuffix(".weight")] = layer
    return adapters
