"""A graph of spaces on disk: ``graph.json``, the card, and a folder for each leg, which is a connector."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from isthmus.artifacts.edition import consistently, read_record, save_edition, stored
from isthmus.artifacts.folder import CONFIG, GRAPH
from isthmus.base.errors import IsthmusError, kind_and_reason
from isthmus.connectors.connector import Connector

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
    return save_edition(folder, GRAPH, {**facts, "legs": legs}, contents, card)


def read_graph(folder: Path, make: Callable[[dict[str, Any]], Graph]) -> Graph:
    """What ``make`` makes of the fields of the graph that the folder holds.

    Raises `IsthmusError` naming the file that is missing, altered or of another graph.
    """
    return consistently(folder / GRAPH, lambda: _read(folder, make))


def _read(folder: Path, make: Callable[[dict[str, Any]], Graph]) -> Graph:
    content = read_record(folder, GRAPH, FORMAT, KIND)
    try:
        named = [(_leg_folder(folder, content, entry["folder"]), entry) for entry in content["legs"]]
        legs = tuple(_leg(place, entry, content) for place, entry in named)
        parents = {leaf: str(parent) for leaf, parent in content["parents"].items()}
        own = {"kind": content["kind"], "base": str(content["base"]), "parents": parents}
    except IsthmusError:
        raise
    except Exception as error:
        raise IsthmusError(
            f"{folder / GRAPH}: not a graph of spaces ({kind_and_reason(error)}): copy or save it again"
        ) from error
    try:
        return make({**own, "legs": legs})
    except IsthmusError as error:
        raise IsthmusError(f"{folder / GRAPH}: not a graph of spaces ({error}): copy or save it again") from error


def _leg_folder(folder: Path, content: Mapping[str, Any], name: object) -> Path:
    """The folder of a leg. Raises `IsthmusError` unless it is in the folder of the graph, and no link."""
    plain = isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")
    place = folder / stored(f"{name}/{CONFIG}", content) if plain else folder / CONFIG
    if not plain or place.parent.is_symlink():
        raise IsthmusError(
            f"{folder / GRAPH}: names the leg {str(name)[:80]!r}, which is not a folder inside {folder}: "
            "copy or save the graph again"
        )
    return place.parent


def _leg(place: Path, entry: Mapping[str, Any], content: Mapping[str, Any]) -> Connector:
    """A leg, if it is the one that the graph names."""
    leg = Connector.load(place)
    expected = content["files"].get(f"{entry['folder']}/{CONFIG}") if "files" in content else None
    if leg.space != entry["space"]:
        raise IsthmusError(
            f"{place}: the leg is {leg.space!r}, but {GRAPH} names {entry['space']!r}: copy or save the graph again"
        )
    if "files" in content and hashlib.sha256((place / CONFIG).read_bytes()).hexdigest() != expected:
        raise IsthmusError(f"{place / CONFIG}: is not the one of this graph: copy or save the graph again")
    return leg
