"""Embeddings, the currency: pooled vectors with ids, a modality and the space they live in."""

from isthmus.embeddings.embeddings import Embeddings

__all__ = ["Embeddings"]
