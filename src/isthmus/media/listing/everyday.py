"""Everyday: plain texts about things people see and hear, to connect two spaces if you have media but no texts.

Written for this package. Your own texts, close to your media, work better.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

NAME = Path("everyday")
"""The name of the list wherever a path is expected, unless a file has that name."""
CONTEXTS = ("{}", "{} nearby", "{} in the distance", "{} in the background")


def everyday_texts() -> Iterator[tuple[str, str]]:
    """Id and text: each thing in four contexts. The texts are their own ids."""
    things = (files("isthmus.media.listing") / "everyday.txt").read_text(encoding="utf-8").splitlines()
    for context in CONTEXTS:
        for thing in things:
            yield context.format(thing), context.format(thing)
