"""A connector on disk: what its folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from isthmus.artifacts.folder import damaged, read_model, write_model
from isthmus.base.errors import IsthmusError
from isthmus.connectors.card import model_card
from isthmus.connectors.member import Head, Member
from isthmus.connectors.trust.report import ConnectorReport

if TYPE_CHECKING:
    from isthmus.connectors.connector import Connector

FORMAT, KIND = "isthmus-connector-1", "connector"


def write_connector(connector: Connector, folder: Path) -> Path:
    """Write the folder, each file whole or not at all."""
    config = {
        "left_space": connector.left_space,
        "right_space": connector.right_space,
        "overlap": connector.overlap,
        "space": connector.space,
        "members": [_member_entry(member) for member in connector.members],
        "weights": list(connector.weights),
        "config": dict(connector.config),
        "choice": dict(connector.choice),
        "report": connector.report.as_dict() if connector.report else None,
        "revisions": dict(connector.revisions),
    }
    return write_model(folder, FORMAT, connector.tensors(), config, model_card(connector))


def read_connector(folder: Path) -> Connector:
    """Read the folder. Raises `IsthmusError` naming the file that is absent, cut short or altered."""
    config, tensors = read_model(folder, FORMAT, KIND)
    try:
        connector = _connector(config, tensors)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise damaged(folder, KIND, error) from error
    if connector.space != config.get("space"):
        raise IsthmusError(
            f"{folder / 'config.json'}: altered (it describes {config.get('space')!r}, the weights are of "
            f"{connector.space!r}): copy or save the connector again"
        )
    return connector


def _connector(config: dict[str, Any], tensors: dict[str, Tensor]) -> Connector:
    from isthmus.connectors.connector import Connector

    members = tuple(_read_member(entry, f"members.{n}", tensors) for n, entry in enumerate(config["members"]))
    if not members or len(config["weights"]) != len(members):
        raise ValueError(f"{len(members)} members, {len(config['weights'])} weights")
    return Connector(
        left_space=config["left_space"],
        right_space=config["right_space"],
        overlap=config["overlap"],
        members=members,
        weights=tuple(map(float, config["weights"])),
        config=config["config"],
        choice=config["choice"],
        report=ConnectorReport.from_dict(config["report"]) if config["report"] else None,
        basis=tensors.get("basis"),
        revisions=config.get("revisions", {}),
    )


def _member_entry(member: Member) -> dict[str, Any]:
    return {
        "method": member.method,
        "source": member.source,
        "left": _layers(member.left.projector),
        "right": _layers(member.right.projector),
    }


def _layers(projector: nn.Sequential) -> list[dict[str, Any]]:
    """The projector's architecture as plain data; only the layers of the published projectors are known."""
    layers = []
    for layer in projector:
        match layer:
            case nn.Linear():
                layers.append({"linear": [layer.in_features, layer.out_features], "bias": layer.bias is not None})
            case nn.BatchNorm1d():
                layers.append({"batchnorm": layer.num_features})
            case nn.ReLU():
                layers.append({"relu": True})
            case _:
                raise TypeError(f"a projector of {type(layer).__name__} has no form on disk")
    return layers


def _build(layers: list[dict[str, Any]]) -> nn.Sequential:
    modules: list[nn.Module] = []
    for layer in layers:
        match layer:
            case {"linear": [inputs, outputs], "bias": bias}:
                modules.append(nn.Linear(inputs, outputs, bias=bias))
            case {"batchnorm": features}:
                modules.append(nn.BatchNorm1d(features))
            case {"relu": True}:
                modules.append(nn.ReLU())
            case _:
                raise IsthmusError(
                    f"config.json: unknown projector layer {layer}; update isthmus to read this connector"
                )
    return nn.Sequential(*modules)


def _read_member(entry: dict[str, Any], prefix: str, tensors: dict[str, Tensor]) -> Member:
    heads = {side: _read_head(entry[side], f"{prefix}.{side}.", tensors) for side in ("left", "right")}
    return Member(left=heads["left"], right=heads["right"], method=entry["method"], source=entry["source"])


def _read_head(layers: list[dict[str, Any]], prefix: str, tensors: dict[str, Tensor]) -> Head:
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    projector = _build(layers)
    state = {n.removeprefix("projector."): t for n, t in own.items() if n.startswith("projector.")}
    try:
        projector.load_state_dict(state)
    except RuntimeError as error:
        raise IsthmusError(f"model.safetensors: weights do not fit config.json ({error})".replace("\n", " ")) from error
    centres = {n.removeprefix("centres."): t for n, t in own.items() if n.startswith("centres.")}
    return Head(projector=projector.eval(), centres=centres, adapters=_read_adapters(own))


def _read_adapters(own: dict[str, Tensor]) -> dict[str, nn.Linear]:
    weights = {n: t for n, t in own.items() if n.startswith("adapters.") and n.endswith(".weight")}
    adapters = {}
    for name, weight in weights.items():
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": own[name.removesuffix("weight") + "bias"]})
        adapters[name.removeprefix("adapters.").removesuffix(".weight")] = layer
    return adapters
