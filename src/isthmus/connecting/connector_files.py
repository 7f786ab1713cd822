"""A connector on disk: ``config.json`` + ``model.safetensors`` + ``README.md`` (the model card). Never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from isthmus.atomic import write_whole, written_whole
from isthmus.connecting.member import Head, Member
from isthmus.connecting.model_card import model_card
from isthmus.connecting.report import ConnectorReport
from isthmus.embeddings.shards import sha256_of
from isthmus.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus.connecting.connector import Connector

FORMAT = "isthmus-connector-1"


def write_connector(connector: Connector, folder: Path) -> Path:
    """Write the folder, each file whole or not at all; ``config.json`` comes last."""
    if (folder / "manifest.json").exists():
        raise IsthmusError(f"{folder}: holds an embedding set: save the connector to a folder of its own")
    weights = folder / "model.safetensors"
    with written_whole(weights) as part:
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in connector.tensors()}, part)
    config = {
        "format": FORMAT,
        "left_space": connector.left_space,
        "right_space": connector.right_space,
        "overlap": connector.overlap,
        "space": connector.space,
        "members": [_member_entry(member) for member in connector.members],
        "weights": list(connector.weights),
        "config": dict(connector.config),
        "choice": dict(connector.choice),
        "report": connector.report.as_dict() if connector.report else None,
        "sha256": sha256_of(weights),
    }
    write_whole(folder / "README.md", model_card(connector))
    write_whole(folder / "config.json", json.dumps(config, indent=2) + "\n")
    return folder


def read_connector(folder: Path) -> Connector:
    """Read the folder. Raises `IsthmusError` naming the file that is absent, cut short or altered."""
    config = _read_config(folder / "config.json")
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise IsthmusError(f"{weights}: not found; the folder is incomplete, copy or save the connector again")
    if sha256_of(weights) != config.get("sha256"):
        raise IsthmusError(f"{weights}: cut short or altered (its sha256 is not config.json's); copy or save it again")
    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise IsthmusError(f"{weights}: not a safetensors file ({error}); copy or save it again") from error
    try:
        connector = _connector(config, tensors)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise IsthmusError(
            f"{folder / 'config.json'}: damaged ({error!r}): copy or save the connector again"
        ) from error
    if connector.space != config.get("space"):
        raise IsthmusError(
            f"{folder / 'config.json'}: altered (it describes {config.get('space')!r}, the weights are of "
            f"{connector.space!r}): copy or save the connector again"
        )
    return connector


def _connector(config: dict[str, Any], tensors: dict[str, Tensor]) -> Connector:
    from isthmus.connecting.connector import Connector

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
    )


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise IsthmusError(f"{path}: not found; give the folder that `Connector.save` wrote")
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise IsthmusError(f"{path}: not valid JSON ({error}); copy or save the connector again") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise IsthmusError(f"{path}: not an isthmus connector (format is not {FORMAT!r})")
    return config


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
