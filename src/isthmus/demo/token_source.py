"""What the data of codes are made of: tokens of a world's items and their truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.world import Regions


@runtime_checkable
class TokenSource(Protocol):
    """Tokens of any items of a world, and what they show where."""

    @property
    def image_space(self) -> ContrastiveSpace:
        """The space of images and their captions."""

    @property
    def audio_space(self) -> ContrastiveSpace:
        """The space of audio and its captions."""

    @property
    def label_names(self) -> Sequence[str]:
        """The name of each label."""

    @property
    def labelled_items(self) -> int:
        """Labelled training items that classifiers of codes are trained on."""

    @property
    def code_galleries(self) -> Sequence[str]:
        """The galleries that codes are judged on; ``seen`` is one of them."""

    def image_tokens(self, ids: Sequence[str]) -> Tokens:
        """Tokens of images."""

    def audio_tokens(self, ids: Sequence[str]) -> Tokens:
        """Tokens of audio."""

    def text_tokens(self, space: ContrastiveSpace, ids: Sequence[str], captions: Sequence[str]) -> Tokens:
        """Tokens of captions in a space's wording."""

    def captions(self, space: ContrastiveSpace, ids: Sequence[str]) -> list[str]:
        """The captions of any items in a space's wording."""

    def image_regions(self, ids: Sequence[str]) -> list[Regions]:
        """What each image shows where."""

    def audio_regions(self, ids: Sequence[str]) -> list[Regions]:
        """The words of an audio item with their start and end times."""

    def text_regions(self, captions: Sequence[str]) -> list[Regions]:
        """What each caption names at which characters."""
