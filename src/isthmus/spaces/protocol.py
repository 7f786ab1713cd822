"""What every space is: the protocol, and the family it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.tokens import Tokens
from isthmus.media import Item

EncoderInputs = Mapping[str, np.ndarray]
"""What an encoder takes, by input name; the first axis counts the views of one item: windows of a sound, else one.
Names that begin with ``_`` are not the model's: they say where tokens lie."""


@runtime_checkable
class Preparation(Protocol):
    """Turns an item into what the encoder takes. Needs no weights, is picklable, gives the same every time."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that follow from all that decides how items are prepared."""
        ...

    @property
    def padding(self) -> Mapping[str, int]:
        """Inputs whose second axis differs between items, and the value they are filled up with."""
        ...

    def __call__(self, item: Item) -> EncoderInputs:
        """Raises `UnreadableError` for an item that cannot be read."""
        ...


@runtime_checkable
class Space(Protocol):
    """A frozen encoder of one or more modalities into one space."""

    @property
    def name(self) -> str:
        """The space's name, as its embeddings carry it."""
        ...

    @property
    def revision(self) -> str:
        """Which weights: a commit of the hub, or a hash of local files."""
        ...

    @property
    def modalities(self) -> tuple[str, ...]:
        """What can be encoded."""
        ...

    @property
    def token_modalities(self) -> tuple[str, ...]:
        """What `encode_tokens` takes."""
        ...

    def preparation(self, modality: str) -> Preparation:
        """How items of a modality are prepared."""
        ...

    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows, one a view."""
        ...

    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Tokens in the joint space of items with one view each, and where each one lies."""
        ...


@dataclass(frozen=True)
class Family:
    """A kind of space: what it knows, what it needs, and which checkpoint is meant where none is named.

    ``loader`` is ``module:function``; the function takes `Ask` and gives a `Space`. A package adds a family by an
    entry point of the group ``isthmus.spaces``.
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

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules it needs that are not installed."""
        return tuple(name for name in self.needs if find_spec(name) is None)

    @property
    def install(self) -> str:
        """The line that installs what it needs."""
        return f"pip install '{self.extra}'"

    def load(self, ask: Ask) -> Space:
        """The space of a checkpoint."""
        module, function = self.loader.split(":")
        found: Space = getattr(import_module(module), function)(ask)
        return found


@dataclass(frozen=True)
class Ask:
    """Which checkpoint to load and where: a hub name or a path, its revision, the name of the space."""

    name: str
    checkpoint: str
    revision: str
    device: str
    precision: str = "float32"


def no_tokens(space: str) -> IsthmusError:
    """What a space that gives no tokens raises when asked for some."""
    return IsthmusError(f"the space {space!r} gives no tokens: leave --tokens out")
