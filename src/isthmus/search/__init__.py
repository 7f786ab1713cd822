"""Search: embeddings of one space go into an `Index`; queries of the same space come out as ranked `Hits`.

A `MixedIndex` searches several modalities at once.
"""

from isthmus.search.hits import Hit, Hits
from isthmus.search.index import Index
from isthmus.search.mixed import MixedIndex

__all__ = ["Hit", "Hits", "Index", "MixedIndex"]
