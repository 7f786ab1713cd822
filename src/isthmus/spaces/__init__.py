"""Spaces: frozen encoders. Texts and media come in; `Embeddings`, and `Tokens` if the encoder has them, go out.

`registry` loads a `Space` of one of the `families`; a space joins two halves: a `Preparation` for each modality, which
needs no weights and runs in decoding processes, and an `Encoder`.
"""

from isthmus.spaces.protocol import Encoder, EncoderInputs, Family, Preparation, TokenEncoder, Weights
from isthmus.spaces.registry import load_space
from isthmus.spaces.space import Space

__all__ = ["Encoder", "EncoderInputs", "Family", "Preparation", "Space", "TokenEncoder", "Weights", "load_space"]
