"""isthmus: connect two embedding spaces that share one modality, with no paired data.

Everything public is here; nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isthmus.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus import metrics
    from isthmus.codes.assignment import assign
    from isthmus.codes.config import CodesConfig
    from isthmus.codes.fit import fit_codes
    from isthmus.codes.model import CodeModel
    from isthmus.codes.objective import Items
    from isthmus.codes.pairs import PairSource, paired_by_id
    from isthmus.codes.reranking import rerank
    from isthmus.codes.sources import without_pairs
    from isthmus.connecting.connect import connect
    from isthmus.connecting.connect_graph import connect_graph
    from isthmus.connecting.connector import Connector
    from isthmus.connecting.space_graph import SpaceGraph, mixture
    from isthmus.embeddings import Embeddings, convert, open_set
    from isthmus.embeddings.tokens import Tokens
    from isthmus.extract.embed import embed
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
    "CodeModel": "isthmus.codes.model",
    "CodesConfig": "isthmus.codes.config",
    "Connector": "isthmus.connecting.connector",
    "Embeddings": "isthmus.embeddings",
    "Items": "isthmus.codes.objective",
    "PairSource": "isthmus.codes.pairs",
    "Query": "isthmus.localize",
    "Tokens": "isthmus.embeddings.tokens",
    "assign": "isthmus.codes.assignment",
    "fit_codes": "isthmus.codes.fit",
    "embed": "isthmus.extract.embed",
    "load_space": "isthmus.spaces",
    "locate": "isthmus.localize",
    "Hits": "isthmus.search",
    "Index": "isthmus.search",
    "SpaceGraph": "isthmus.connecting.space_graph",
    "connect": "isthmus.connecting.connect",
    "connect_graph": "isthmus.connecting.connect_graph",
    "mixture": "isthmus.connecting.space_graph",
    "convert": "isthmus.embeddings",
    "open_set": "isthmus.embeddings",
    "paired_by_id": "isthmus.codes.pairs",
    "rerank": "isthmus.codes.reranking",
    "without_pairs": "isthmus.codes.sources",
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
