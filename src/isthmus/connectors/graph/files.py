"""A graph of spaces on disk: ``graph.json``, the card, and a folder for each leg, which is a connector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isthmus.artifacts.folder import CARD, CONFIG, GRAPH
from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.connectors.connector import Connector

FORMAT = "isthmus-graph-1"


def write_graph(folder: Path, fields: Mapping[str, Any], card: str) -> Path:
    """Write the legs, the card, and last the file that names the legs; returns the folder.

    A leg that the folder has already, with the same weights, is not written again.
    """
    if (folder / CONFIG).exists():
        raise IsthmusError(f"{folder}: contains a connector: save the graph to another folder")
    legs = [{"folder": f"leg_{number}", "space": leg.space} for number, leg in enumerate(fields["legs"])]
    for entry, leg in zip(legs, fields["legs"], strict=True):
        if not _is_saved(folder / entry["folder"], leg):
            leg.save(folder / entry["folder"])
    write_text_atomically(folder / CARD, card)
    facts = {"format": FORMAT, "kind": fields["kind"], "base": fields["base"], "parents": dict(fields["parents"])}
    write_text_atomically(folder / GRAPH, json.dumps({**facts, "legs": legs}, indent=2) + "\n")
    return folder


def read_graph(folder: Path) -> dict[str, Any]:
    """The fields of the graph that the folder holds.

    Raises `IsthmusError` naming the file that is missing, altered or of another graph.
    """
    path = folder / GRAPH
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT or content["kind"] not in ("star", "joint"):
            raise ValueError(f"format {content['format']!r}, kind {content['kind']!r}")
        fields = {"kind": content["kind"], "base": str(content["base"]), "parents": dict(content["parents"])}
        named = [(folder / entry["folder"], entry["space"]) for entry in content["legs"]]
    except FileNotFoundError as error:
        raise IsthmusError(f"{path}: not found: give the folder of a graph of spaces") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IsthmusError(f"{path}: not a graph of spaces ({error}): copy or save it again") from error
    legs = tuple(Connector.load(place) for place, _ in named)
    for (place, space), leg in zip(named, legs, strict=True):
        if leg.space != space:
            raise IsthmusError(
                f"{place}: the leg is {leg.space!r}, but {GRAPH} names {space!r}: copy or save the graph again"
            )
    return {**fields, "legs": legs}


def _is_saved(folder: Path, leg: Connector) -> bool:
    try:
        return Connector.load(folder).space == leg.space
    except IsthmusError:
        return False
