"""isthmus: connect two embedding spaces that share one modality, with no paired data.

Everything public is here; nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isthmus.base.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus import metrics
    from isthmus.bulk.embed import embed
    from isthmus.codes.learning.fit import fit_codes
    from isthmus.codes.learning.objective import Items
    from isthmus.codes.learning.pairs import PairSource, paired_by_id
    from isthmus.codes.learning.sources import without_pairs
    from isthmus.codes.model.config import CodesConfig
    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.assignment import assign
    from isthmus.codes.reading.rerank import rerank
    from isthmus.connectors.connect import connect
    from isthmus.connectors.connector import Connector
    from isthmus.connectors.graph.connect_graph import connect_graph
    from isthmus.connectors.graph.space_graph import SpaceGraph, mixture
    from isthmus.embeddings import Embeddings, convert, open_set
    from isthmus.embeddings.tokens import Tokens
    from isthmus.localize import Query, locate
    from isthmus.search import Hits, Index
    from isthmus.spaces import load_space

__all__ = [
    "CodeModel",
    "CodesConfig",
    "Connector",
    "Embeddings",
    "Hits",
    "Index",
    "IsthmusError",
    "Items",
    "PairSource",
    "Query",
    "SpaceGraph",
    "Tokens",
    "assign",
    "connect",
    "connect_graph",
    "convert",
    "embed",
    "fit_codes",
    "load_space",
    "locate",
    "metrics",
    "mixture",
    "open_set",
    "paired_by_id",
    "rerank",
    "without_pairs",
]

_HOMES = {
    "CodeModel": "isthmus.codes.model.model",
    "CodesConfig": "isthmus.codes.model.config",
    "Connector": "isthmus.connectors.connector",
    "Embeddings": "isthmus.embeddings",
    "Items": "isthmus.codes.learning.objective",
    "PairSource": "isthmus.codes.learning.pairs",
    "Query": "isthmus.localize",
    "Tokens": "isthmus.embeddings.tokens",
    "assign": "isthmus.codes.reading.assignment",
    "fit_codes": "isthmus.codes.learning.fit",
    "embed": "isthmus.bulk.embed",
    "load_space": "isthmus.spaces",
    "locate": "isthmus.localize",
    "Hits": "isthmus.search",
    "Index": "isthmus.search",
    "SpaceGraph": "isthmus.connectors.graph.space_graph",
    "connect": "isthmus.connectors.connect",
    "connect_graph": "isthmus.connectors.graph.connect_graph",
    "mixture": "isthmus.connectors.graph.space_graph",
    "convert": "isthmus.embeddings",
    "open_set": "isthmus.embeddings",
    "paired_by_id": "isthmus.codes.learning.pairs",
    "rerank": "isthmus.codes.reading.rerank",
    "without_pairs": "isthmus.codes.learning.sources",
}


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return import_module("isthmus.metrics")
    if name == "__version__":
        return import_module("importlib.metadata").version("isthmus")
    if name not in _HOMES:
        raise AttributeError(f"module 'isthmus' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
