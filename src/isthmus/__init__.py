"""isthmus: connect two embedding spaces that share one modality, with no paired data.

Everything public is here; nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isthmus.base.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus import metrics
    from isthmus.bulk.config import EmbedConfig
    from isthmus.bulk.embed import embed
    from isthmus.codes.learning.fit import fit_codes
    from isthmus.codes.learning.pairs import CodeItems, PairSource, pairs_by_id
    from isthmus.codes.learning.sources import link_without_pairs
    from isthmus.codes.model.config import CodesConfig
    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.alignment import rerank_by_codes
    from isthmus.codes.reading.assignment import assign_codes
    from isthmus.connectors.config import (
        AutoConfig,
        BridgeConfig,
        CcaConfig,
        CmcrConfig,
        ConsistencyConfig,
        ExmcrConfig,
        ProcrustesConfig,
        RidgeConfig,
    )
    from isthmus.connectors.connect import connect
    from isthmus.connectors.connector import Connector
    from isthmus.connectors.graph.connect_graph import connect_graph
    from isthmus.connectors.graph.space_graph import SpaceGraph, mix_embeddings
    from isthmus.connectors.member import Head, Member
    from isthmus.connectors.methods.plugins import CmcrBatch, LossTerm, Method
    from isthmus.connectors.overlap.materials import Materials
    from isthmus.connectors.trust.scores import UnrelatedScores
    from isthmus.embeddings import Embeddings, convert, open_set
    from isthmus.embeddings.tokens import Tokens
    from isthmus.localize import LocateQuery, locate
    from isthmus.search import Hits, Index, MixedIndex
    from isthmus.spaces import load_space
    from isthmus.training.config import OptimisationConfig

__all__ = [
    "AutoConfig",
    "BridgeConfig",
    "CcaConfig",
    "CmcrBatch",
    "CmcrConfig",
    "CodeItems",
    "CodeModel",
    "CodesConfig",
    "Connector",
    "ConsistencyConfig",
    "EmbedConfig",
    "Embeddings",
    "ExmcrConfig",
    "Head",
    "Hits",
    "Index",
    "IsthmusError",
    "LocateQuery",
    "LossTerm",
    "Materials",
    "Member",
    "Method",
    "MixedIndex",
    "OptimisationConfig",
    "PairSource",
    "ProcrustesConfig",
    "RidgeConfig",
    "SpaceGraph",
    "Tokens",
    "UnrelatedScores",
    "assign_codes",
    "connect",
    "connect_graph",
    "convert",
    "embed",
    "fit_codes",
    "link_without_pairs",
    "load_space",
    "locate",
    "metrics",
    "mix_embeddings",
    "open_set",
    "pairs_by_id",
    "rerank_by_codes",
]

_HOMES = {
    "AutoConfig": "isthmus.connectors.config",
    "BridgeConfig": "isthmus.connectors.config",
    "CcaConfig": "isthmus.connectors.config",
    "CmcrConfig": "isthmus.connectors.config",
    "ConsistencyConfig": "isthmus.connectors.config",
    "EmbedConfig": "isthmus.bulk.config",
    "ExmcrConfig": "isthmus.connectors.config",
    "OptimisationConfig": "isthmus.training.config",
    "ProcrustesConfig": "isthmus.connectors.config",
    "RidgeConfig": "isthmus.connectors.config",
    "CodeModel": "isthmus.codes.model.model",
    "CodesConfig": "isthmus.codes.model.config",
    "Connector": "isthmus.connectors.connector",
    "CmcrBatch": "isthmus.connectors.methods.plugins",
    "Head": "isthmus.connectors.member",
    "LossTerm": "isthmus.connectors.methods.plugins",
    "Materials": "isthmus.connectors.overlap.materials",
    "Member": "isthmus.connectors.member",
    "Method": "isthmus.connectors.methods.plugins",
    "Embeddings": "isthmus.embeddings",
    "CodeItems": "isthmus.codes.learning.pairs",
    "PairSource": "isthmus.codes.learning.pairs",
    "LocateQuery": "isthmus.localize",
    "Tokens": "isthmus.embeddings.tokens",
    "UnrelatedScores": "isthmus.connectors.trust.scores",
    "assign_codes": "isthmus.codes.reading.assignment",
    "fit_codes": "isthmus.codes.learning.fit",
    "embed": "isthmus.bulk.embed",
    "load_space": "isthmus.spaces",
    "locate": "isthmus.localize",
    "Hits": "isthmus.search",
    "Index": "isthmus.search",
    "MixedIndex": "isthmus.search",
    "SpaceGraph": "isthmus.connectors.graph.space_graph",
    "connect": "isthmus.connectors.connect",
    "connect_graph": "isthmus.connectors.graph.connect_graph",
    "mix_embeddings": "isthmus.connectors.graph.space_graph",
    "convert": "isthmus.embeddings",
    "open_set": "isthmus.embeddings",
    "pairs_by_id": "isthmus.codes.learning.pairs",
    "rerank_by_codes": "isthmus.codes.reading.alignment",
    "link_without_pairs": "isthmus.codes.learning.sources",
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
