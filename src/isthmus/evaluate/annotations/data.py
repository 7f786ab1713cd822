"""What annotations say: pairs of two modalities, labelled items, images with boxes, streams with events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from isthmus.evaluate.annotations.account import Account
from isthmus.metrics.segments import Event


class DataItem(NamedTuple):
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

    sides: Mapping[str, list[DataItem]]
    account: Account


@dataclass(frozen=True)
class Labelled:
    """Items with one class or several, the names of the classes and the prompts: the data of a zero-shot task."""

    modality: str
    entries: list[DataItem]
    labels: Sequence[tuple[int, ...]]
    classes: list[str]
    templates: list[str]
    account: Account


Corners = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of the image's width and height."""


class Sample(NamedTuple):
    """An image, a sound, and where in the image the source of the sound is.

    Attributes:
        image: The image.
        sound: The sound.
        positive: Whether the image shows the source.
        boxes: The boxes of each annotator, empty if all of theirs are degenerate. In a duet, the "annotators" are the
            two instruments (``names``).
        names: Names of what sounds, where annotations tell: one of the class, or one of each instrument.
    """

    image: DataItem
    sound: DataItem
    positive: bool
    boxes: tuple[tuple[Corners, ...], ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Samples:
    """The data of a localisation or counterfactual task.

    ``agreeing`` is the number of annotators who have to agree on a pixel; None if all boxes of a frame are its truth.
    """

    samples: list[Sample]
    account: Account
    agreeing: int | None = None


class Stream(NamedTuple):
    """A clip with the events of one of its modalities, in seconds from its start."""

    entry: DataItem
    events: tuple[Event, ...]
    split: str = "test"


@dataclass(frozen=True)
class Streams:
    """Streams by modality, with the names of the classes: the data of cross-modal generalisation.

    ``taught`` are the streams that a head learns from if they are of another data set, with the same classes.
    ``several`` says that a second may show several classes, so that seconds are scored and not whole streams.
    """

    classes: list[str]
    by_modality: Mapping[str, list[Stream]]
    account: Account = field(default_factory=Account)
    taught: Mapping[str, list[Stream]] | None = None
    several: bool = False
