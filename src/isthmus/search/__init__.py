"""Search: embeddings of one space go into an `Index`; queries of the same space come out as ranked `Hits`."""

from isthmus.search.hits import Hit, Hits
from isthmus.search.index import Index

__all__ = ["Hit", "Hits", "Index"]
