"""What the demo asks of a world; `digits` and `things` each make one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from isthmus.demo.plan import CodeSizes, RunPlan
from isthmus.demo.token_source import TokenSource
from isthmus.worlds.world import World

Timed = Sequence[tuple[str, float, float]]
"""Words with their start and end in seconds."""


@dataclass(frozen=True)
class PageTexts:
    """What the page says about a world.

    Args:
        task: The name of the retrieval task in result files.
        title: The page's heading.
        lead: A sentence or two below it.
        match: What counts as a counterpart, for instance "the same number".
        labels: What tokens are labelled with, in the plural: "digits".
        galleries: The title of each gallery.
        gallery_note: What the galleries are, in a sentence.
        code_columns: Titles of figures of codes by name, besides those that every world has.
    """

    task: str
    title: str
    lead: str
    match: str
    labels: str
    galleries: Mapping[str, str]
    gallery_note: str
    code_columns: Mapping[str, str] = field(default_factory=dict)

    def gallery(self, name: str) -> str:
        """The title of a gallery."""
        return self.galleries.get(name, name)


@runtime_checkable
class ItemMedia(Protocol):
    """The image, waveform or words of an item by its id."""

    @property
    def texts(self) -> PageTexts:
        """What the page says about the world."""

    def image(self, item: str) -> np.ndarray:
        """Grey or RGB pixels, (height, width) or (height, width, 3) uint8."""

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        """Samples in [-1, 1] and their rate."""

    def words(self, item: str) -> str:
        """What an image shows or a text says."""

    def said(self, item: str) -> Timed:
        """The words of an audio item with their start and end times."""


class DemoWorld(ItemMedia, TokenSource, Protocol):
    """A world that the demo can run on."""

    def draw(self, seed: int, *, quick: bool) -> World:
        """Memories, texts, pairs and the test galleries, which are smaller in a quick run."""

    def plan(self, *, quick: bool) -> RunPlan:
        """What a run compares."""

    @property
    def code_sizes(self) -> CodeSizes:
        """On how much codes are trained and judged."""
