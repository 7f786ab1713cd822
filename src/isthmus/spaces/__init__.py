"""Spaces: frozen encoders. Media come in, unit vectors (and tokens, where the model allows) go on.

`families` says which there are, `registry` loads one. A space has two halves: a `Preparation` for each modality, which
needs no weights and runs in worker processes, and the encoder itself.
"""

from isthmus.spaces.protocol import EncoderInputs, Family, Preparation, Space
from isthmus.spaces.registry import load_space

__all__ = ["EncoderInputs", "Family", "Preparation", "Space", "load_space"]
