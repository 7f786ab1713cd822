"""Things: the nouns of the world, which can be drawn and said."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("things.tsv")


@dataclass(frozen=True)
class Thing:
    """A noun with its plural, the emoji that draws it, its kind, and the group of things it is easily taken for.

    ``near`` is empty for a thing that no other resembles; things of one group are each other's hard negatives.
    """

    name: str
    plural: str
    emoji: str
    kind: str
    near: str


@cache
def things() -> tuple[Thing, ...]:
    """All things, in the order of their numbers.

    Returns:
        Each thing once; a thing's place in the tuple is its number everywhere in this world.

    Example:
        >>> from isthmus.worlds.things.things import things
        >>> things()[0].name, things()[0].plural
        ('dog', 'dogs')
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        next(rows)
        return tuple(Thing(*row) for row in rows)


@cache
def thing_names() -> tuple[str, ...]:
    """The nouns in the order of their numbers."""
    return tuple(thing.name for thing in things())
