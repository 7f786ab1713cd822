"""`Task`: what a benchmark measures, on which data, where these are published, and what others reached on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from isthmus.base.errors import IsthmusError

Kind = Literal["retrieval", "zero-shot", "localisation", "counterfactual", "generalisation", "pretraining"]
MODALITIES = ("text", "image", "audio", "video", "points")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PUBLIC = "public code"
"""Mark of figures that follow a protocol with known faults, such as scores on training clips."""


@dataclass(frozen=True)
class DataSet:
    """The data of a task, and how people have them on disk.

    Attributes:
        name: What its authors call it.
        licence: The licence of annotations and media, in words.
        url: Where it is published.
        gigabytes: About how much disk its media need.
        layout: The expected folder, one line per file or pattern.
        items: How many items the published annotations have; None if that depends on the version.
        annotations: Names of the annotation files, alternatives separated by ``|``.
    """

    name: str
    licence: str
    url: str
    gigabytes: float
    layout: tuple[str, ...]
    items: int | None
    annotations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(bool(self.name and self.licence and self.layout), self.name, "a name, a licence and a layout")
        _require(self.url.startswith("https://"), self.name, "a url that begins with https://")
        _require(self.gigabytes > 0, self.name, "a disk size above 0")
        _require(self.items is None or self.items > 0, self.name, "a number of items above 0, or None")


@dataclass(frozen=True)
class Published:
    """Figures of one model in a paper, in percent by metric; ``protocol`` says how they were measured if not as here.

    ``subset`` names the direction or split that they belong to; empty if they are the mean of both directions.
    """

    model: str
    figures: Mapping[str, float]
    source: str
    subset: str = ""
    protocol: str = ""

    def __post_init__(self) -> None:
        _require(bool(self.model and self.source and self.figures), self.model, "a model, a source and figures")
        wrong = [name for name, value in self.figures.items() if not 0 <= value <= 100]
        _require(not wrong, self.model, f"figures in percent ({', '.join(wrong)})")


@dataclass(frozen=True)
class Task:
    """A benchmark that ``isthmus evaluate`` can run.

    Attributes:
        name: Its name on the command line and of its result files.
        title: What it measures, in a few words.
        kind: How it is scored.
        modalities: The modalities it needs: queries and items, or items and the text of classes.
        metrics: The figures, the main one first.
        data: The data set.
        read: Reads the annotations in the folders that the user has.
        published: What others reached.
        notes: What is not known of the papers' protocol, or differs from it here.

    Example:
        >>> from isthmus.evaluate.tasks import task_named
        >>> task = task_named("vggss-retrieval")
        >>> task.modalities, task.metrics[0], task.data.items
        (('image', 'audio'), 'r1', 5158)
    """

    name: str
    title: str
    kind: Kind
    modalities: tuple[str, ...]
    metrics: tuple[str, ...]
    data: DataSet
    read: Callable[..., Any]
    published: tuple[Published, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(NAME.fullmatch(self.name) is not None, self.name, "a name of lower-case words joined by hyphens")
        _require(bool(self.title), self.name, "a title")
        _require(self.kind in get_args(Kind), self.name, f"a kind: {', '.join(get_args(Kind))}")
        unknown = [name for name in self.modalities if name not in MODALITIES]
        _require(bool(self.modalities) and not unknown, self.name, f"modalities of {', '.join(MODALITIES)}")
        _require(bool(self.metrics) and len(set(self.metrics)) == len(self.metrics), self.name, "distinct metrics")
        odd = [name for own in self.published for name in own.figures if name not in self.metrics]
        _require(not odd, self.name, f"published figures of its own metrics ({', '.join(odd)})")

    @property
    def main(self) -> str:
        """The main metric."""
        return self.metrics[0]


def _require(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise IsthmusError(f"the task or data set {name!r} needs {expected}: correct its description")
