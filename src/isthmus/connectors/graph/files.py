"""A graph of spaces on disk: ``graph.json``, the card, and each leg's folder, which is a connector of its own."""

from __future__ import annotations

import json
from pathlib import Path

from isthmus.artifacts.folder import CONFIG
from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.space_graph import SpaceGraph

FORMAT, GRAPH = "isthmus-graph-1", "graph.json"


def write_graph(graph: SpaceGraph, folder: Path) -> Path:
    """Write every leg, then the file that names them. A leg that is there with the same weights is left as it is."""
    if (folder / CONFIG).exists():
        raise IsthmusError(f"{folder}: holds a connector: save the graph to a folder of its own")
    names = [f"leg_{number}" for number in range(len(graph.legs))]
    for name, leg in zip(names, graph.legs, strict=True):
        if not _is_there(folder / name, leg):
            leg.save(folder / name)
    write_text_atomically(folder / "README.md", _card(graph))
    facts = {"format": FORMAT, "kind": graph.kind, "base": graph.base, "parents": dict(graph.parents)}
    legs = [{"folder": name, "space": leg.space} for name, leg in zip(names, graph.legs, strict=True)]
    write_text_atomically(folder / GRAPH, json.dumps({**facts, "legs": legs}, indent=2) + "\n")
    return folder


def read_graph(folder: Path) -> SpaceGraph:
    """Read the folder. Raises `IsthmusError` naming the file that is absent, altered, or of another graph."""
    path = folder / GRAPH
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT or content["kind"] not in ("star", "joint"):
            raise ValueError(f"format {content['format']!r}, kind {content['kind']!r}")
        base, parents = str(content["base"]), dict(content["parents"])
        named = [(folder / entry["folder"], entry["space"]) for entry in content["legs"]]
    except FileNotFoundError as error:
        raise IsthmusError(f"{path}: not found; give the folder of a graph of spaces") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IsthmusError(f"{path}: not a graph of spaces ({error}): copy or save it again") from error
    legs = tuple(Connector.load(place) for place, _ in named)
    for (place, space), leg in zip(named, legs, strict=True):
        if leg.space != space:
            raise IsthmusError(f"{place}: is {leg.space!r}, {path.name} names {space!r}: copy or save the graph again")
    return SpaceGraph(content["kind"], base, legs, parents)


def load_any(folder: Path) -> Connector | SpaceGraph:
    """The connector or the graph of spaces in a folder, or an official checkpoint."""
    return read_graph(folder) if (folder / GRAPH).is_file() else Connector.load(folder)


def _is_there(folder: Path, leg: Connector) -> bool:
    try:
        return Connector.load(folder).space == leg.space
    except IsthmusError:
        return False


def _card(graph: SpaceGraph) -> str:
    lines = "\n".join(f"- {line}" for line in graph.lines())
    return (
        "---\nlibrary_name: isthmus\nlicense: other\ntags: [multimodal, embeddings, contrastive, ex-mcr]\n---\n\n"
        f"# {' + '.join(graph.spaces)}\n\nA {graph.kind} around `{graph.base}`. Each leg's folder has its own card, "
        f"with what it was fitted to and the licences that apply.\n\n{lines}\n\n## Load\n\n"
        '```python\nimport isthmus\n\ngraph = isthmus.SpaceGraph.load("this folder")\n'
        "joint = graph.project(embeddings)  # of any of its spaces\n```\n"
    )
