"""Embeddings, the currency: arrays or encoder output come in, sets with ids, a modality and a space go on.

In memory (`Embeddings.from_array`) or on disk (`Embeddings.save`, `EmbeddingWriter`, `open_set`): the same object.
"""

from isthmus.embeddings.convert import convert
from isthmus.embeddings.embeddings import Embeddings
from isthmus.embeddings.folder import open_set, verify_set
from isthmus.embeddings.inspect import inspect_set
from isthmus.embeddings.writer import EmbeddingWriter

__all__ = ["EmbeddingWriter", "Embeddings", "convert", "inspect_set", "open_set", "verify_set"]
