"""Everyday: plain texts of things seen and heard, for those who have media and no texts to join two spaces by.

Written for this package. Texts of one's own, close to one's own media, are better.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

NAME = Path("everyday")
"""What stands for the list where a path is asked for, unless there is such a path."""
CONTEXTS = ("{}", "{} nearby", "{} in the distance", "{} in the background")


def everyday_texts() -> Iterator[tuple[str, str]]:
    """Id and text: each thing in four contexts. The texts are their own ids."""
    things = (files("isthmus.media.listing") / "everyday.txt").read_text(encoding="utf-8").splitlines()
    for context in CONTEXTS:
        for thing in things:
            yield context.format(thing), context.format(thing)
