"""Embeddings: arrays or encoder outputs come in; sets of vectors and tokens with ids, a modality and a space go out.

They are the same in memory (`Embeddings.from_array`, `Tokens.from_arrays`) and on disk (`open_set`, `open_tokens`).
"""

from isthmus.embeddings.conversion import convert
from isthmus.embeddings.embeddings import Embeddings, open_set
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.health import Health, health_of
from isthmus.embeddings.summary import inspect_set
from isthmus.embeddings.token_files import TokenWriter, open_tokens, save_tokens, token_modalities, verify_tokens
from isthmus.embeddings.tokens import Tokens
from isthmus.embeddings.writer import EmbeddingWriter

__all__ = [
    "EmbeddingWriter",
    "Embeddings",
    "Health",
    "TokenWriter",
    "Tokens",
    "convert",
    "health_of",
    "inspect_set",
    "open_set",
    "open_tokens",
    "save_tokens",
    "token_modalities",
    "verify_set",
    "verify_tokens",
]
