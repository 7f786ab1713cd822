"""Search: embeddings of one space go into an `Index`; queries of the same space come out as ranked `Hits`."""

from isthmus.search.csls import csls_scores, mean_nearest
from isthmus.search.index import Hits, Index

__all__ = ["Hits", "Index", "csls_scores", "mean_nearest"]
