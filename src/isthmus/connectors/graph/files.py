"""A graph of spaces on disk: ``graph.json``, the card, and a folder for each leg, which is a connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from isthmus.artifacts.edition import save_edition
from isthmus.artifacts.folder import CONFIG, GRAPH
from isthmus.artifacts.record import consistently, read_record, read_stored, stored
from isthmus.base.errors import IsthmusError, interpreting
from isthmus.connectors.connector import Connector
from isthmus.connectors.trust.scores import UnrelatedScores

FORMAT, KIND = "isthmus-graph-1", "graph of spaces"
Graph = TypeVar("Graph")


def write_graph(folder: Path, fields: Mapping[str, Any], card: str) -> Path:
    """Write the legs, the card, and last the file that names the legs; returns the folder."""
    names = [f"leg_{number}" for number in range(len(fields["legs"]))]
    legs = [{"folder": name, "space": leg.space} for name, leg in zip(names, fields["legs"], strict=True)]
    facts = {"format": FORMAT, "kind": fields["kind"], "base": fields["base"], "parents": dict(fields["parents"])}
    contents = {
        f"{name}/{file}": content
        for name, leg in zip(names, fields["legs"], strict=True)
        for file, content in leg.files().contents().items()
    }
    facts |= {"legs": legs, "scores": fields["scores"].as_dict()}
    return save_edition(folder, GRAPH, facts, contents, card)


def read_graph(folder: Path, make: Callable[[dict[str, Any]], Graph]) -> Graph:
    """What ``make`` makes of the fields of the graph that the folder holds.

    Raises `IsthmusError` naming the file that is missing, altered or of another graph.
    """
    return consistently(folder / GRAPH, lambda: _read(folder, make))


def _read(folder: Path, make: Callable[[dict[str, Any]], Graph]) -> Graph:
    content = read_record(folder, GRAPH, FORMAT, KIND)
    damage = folder / GRAPH, "not a graph of spaces", "copy or save it again"
    with interpreting(*damage):
        entries = [(str(entry["space"]), entry["folder"]) for entry in content["legs"]]
        parents = {leaf: str(parent) for leaf, parent in content["parents"].items()}
        own = {"kind": content["kind"], "base": str(content["base"]), "parents": parents}
        own["scores"] = UnrelatedScores.from_dict(content.get("scores"))
    legs = tuple(_leg(folder, content, name, space) for space, name in entries)
    with interpreting(*damage):
        return make({**own, "legs": legs})


def _leg(folder: Path, content: Mapping[str, Any], name: object, space: str) -> Connector:
    """A leg. Raises `IsthmusError` unless it is the one that the graph names, in a folder inside the graph's own."""
    plain = isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")
    place = (folder / stored(f"{name}/{CONFIG}", content)).parent if plain else folder
    if not plain or place.is_symlink():
        raise IsthmusError(
            f"{folder / GRAPH}: names the leg {str(name)[:80]!r}, which is not a folder inside {folder}: "
            "copy or save the graph again"
        )
    if "files" in content:
        read_stored(folder, content, f"{name}/{CONFIG}", KIND)
    leg = Connector.load(place)
    if leg.space != space:
        raise IsthmusError(
            f"{place}: the leg is {leg.space!r}, but {GRAPH} names {space!r}: copy or save the graph again"
        )
    return leg
