"""What annotations say: pairs of two modalities, labelled items, images with boxes, streams with events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isthmus.evaluate.annotations.account import Account
from isthmus.metrics.segments import Event


@dataclass(frozen=True)
class Entry:
    """One item of one modality.

    Attributes:
        id: What the data set calls it.
        group: Items of two modalities belong together if they have the same group.
        names: Names that its file may have, without folder and suffix, the usual one first; empty for a text.
        text: The text, if it is one.
    """

    id: str
    group: str
    names: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Pairs:
    """Items of two modalities that belong together by group: the data of a retrieval task."""

    sides: Mapping[str, list[Entry]]
    account: Account


@dataclass(frozen=True)
class Labelled:
    """Items with one class or several, the names of the classes and the prompts: the data of a zero-shot task."""

    modality: str
    entries: list[Entry]
    labels: list[tuple[int, ...]]
    classes: list[str]
    templates: list[str]
    account: Account


@dataclass(frozen=True)
class Box:
    """Left, top, right and bottom as shares of width and height, from 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Sample:
    """An image, the sound that is looked for in it, and where its source is.

    Attributes:
        image: The image.
        sound: The sound; None for silence.
        boxes: Boxes of the source; several annotators or several parts. Empty if the image does not show it.
        annotators: How many people drew boxes, if they were asked independently; otherwise 1.
    """

    image: Entry
    sound: Entry | None
    boxes: tuple[Box, ...]
    annotators: int = 1


@dataclass(frozen=True)
class Samples:
    """The data of a localisation or counterfactual task."""

    samples: list[Sample]
    account: Account


@dataclass(frozen=True)
class Stream:
    """A clip with the events of one of its modalities, in seconds from its start."""

    entry: Entry
    events: tuple[Event, ...]
    split: str = "test"


@dataclass(frozen=True)
class Streams:
    """Streams by modality, with the names of the classes: the data of cross-modal generalisation."""

    classes: list[str]
    by_modality: Mapping[str, list[Stream]]
    account: Account = field(default_factory=Account)
