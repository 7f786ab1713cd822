"""What an encoder family provides: its facts, a preparation for each modality, and an encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.media import Item

EncoderInputs = Mapping[str, np.ndarray]
"""The arrays an encoder takes, by input name; the first axis counts windows: of one item, or of a batch of items.
Only audio has more than one window per item. Names that begin with ``_`` are not the model's: they locate tokens, or
say what the preparation did."""

CUT = "_cut"
"""The input that is true for a text longer than the encoder reads. Preparations may omit it."""

WindowTokens = tuple[np.ndarray, np.ndarray]
"""The token vectors (tokens, dim) of one window, or one item, and their places; see `embeddings.tokens.PLACES`."""


@runtime_checkable
class Preparation(Protocol):
    """Turns an item into what the encoder takes. Needs no weights, can be pickled, and is deterministic."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with any setting that changes the result."""
        ...

    @property
    def padding(self) -> Mapping[str, int]:
        """The inputs whose second axis differs between items, and the value that fills it up."""
        ...

    def __call__(self, item: Item) -> EncoderInputs:
        """The inputs for one item. Raises `UnreadableError` if it cannot be read."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """A frozen encoder of one or more modalities into one space."""

    @property
    def revision(self) -> str:
        """Which weights these are: a commit of the hub, or a hash of local files."""
        ...

    def preparation(self, modality: str) -> Preparation:
        """How items of a modality are prepared."""
        ...

    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per window."""
        ...


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that also gives tokens in the space: patches, words, frames or steps of audio."""

    @property
    def token_modalities(self) -> tuple[str, ...]:
        """The modalities that have tokens."""
        ...

    def encode_tokens(self, modality: str, inputs: EncoderInputs) -> list[WindowTokens]:
        """The tokens of each window, and where each token is."""
        ...


@dataclass(frozen=True)
class Weights:
    """Which weights to load and how: a hub name or a path, its revision, the device and the precision."""

    source: str
    revision: str
    device: str
    precision: str = "float32"


@dataclass(frozen=True)
class Family:
    """A kind of encoder that `load_space` can load by name.

    A package adds one through an entry point of the group ``isthmus.spaces`` that names a `Family`.

    Args:
        name: The name for `load_space` and ``--space``.
        title: A short description.
        modalities: What it encodes.
        dim: The dimension of its vectors; None if any.
        licence: The licence of the default weights.
        checkpoint: The default weights, a hub name; empty if the user must give a path.
        revision: The commit of the default weights.
        needs: Modules it imports, to tell users what is missing.
        extra: What to install for them, as pip takes it.
        loader: ``module:function``; the function takes `Weights` and returns an `Encoder`.
        kind: ``"vector"`` if items are vectors made elsewhere rather than media.

    Example:
        >>> from isthmus.spaces import Family
        >>> mine = Family(
        ...     "mine", "My encoder", ("image",), 512, "MIT", "me/mine", "main", ("torch",), "mine", "mine.encoder:load"
        ... )
        >>> mine.missing, mine.install
        ((), "pip install 'mine'")
    """

    name: str
    title: str
    modalities: tuple[str, ...]
    dim: int | None
    licence: str
    checkpoint: str
    revision: str
    needs: tuple[str, ...]
    extra: str
    loader: str
    kind: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The modules it needs that are not installed."""
        return tuple(name for name in self.needs if not _is_installed(name))

    @property
    def install(self) -> str:
        """The command that installs them."""
        return f"pip install '{self.extra}'"

    def load(self, weights: Weights) -> Encoder:
        """Load an encoder. Raises `IsthmusError` if the function that loads it cannot be imported."""
        module, _, function = self.loader.partition(":")
        try:
            load: Callable[[Weights], Encoder] = getattr(import_module(module), function)
        except Exception as error:
            raise IsthmusError(
                f"the space {self.name!r} cannot be loaded: {self.loader} cannot be imported "
                f"({type(error).__name__}: {reason_of(error)}): repair or reinstall its package"
            ) from error
        return load(weights)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        # Its parent package is missing, or the name is not valid.
        return False
