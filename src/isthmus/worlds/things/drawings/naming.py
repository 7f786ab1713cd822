"""Which thing a file draws, by its name: the noun, or the code points of its emoji."""

from __future__ import annotations

from functools import cache

from isthmus.worlds.things.things import things

VARIATION = "-fe0f"
"""Asks for the coloured form of a character; sets of emoji differ in whether they write it."""


def code_points(emoji: str) -> str:
    """The code points of an emoji as sets name their files, without variation selectors.

    Example:
        >>> code_points("🐶"), code_points("❤️")
        ('1f436', '2764')
    """
    return without_variation("-".join(f"{ord(character):04x}" for character in emoji))


def without_variation(name: str) -> str:
    """A file's name in lower case and without variation selectors, as `code_points` gives it."""
    return name.lower().replace(VARIATION, "")


def thing_named(stem: str) -> int | None:
    """The number of the thing that a file draws, or None if its name is not that of a thing.

    Args:
        stem: The file's name without its suffix: "christmas tree", "christmas_tree", "1f384" or "1F384".

    Example:
        >>> thing_named("Dog"), thing_named("1F436"), thing_named("nothing")
        (0, 0, None)
    """
    noun = " ".join(stem.lower().replace("_", " ").replace("-", " ").split())
    return _numbers().get(noun, _numbers().get(without_variation(stem)))


@cache
def _numbers() -> dict[str, int]:
    """Numbers of all things by noun and by code points."""
    by_emoji = {code_points(thing.emoji): number for number, thing in enumerate(things())}
    return by_emoji | {thing.name: number for number, thing in enumerate(things())}
