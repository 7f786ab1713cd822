"""Units: the words and phrases that are recorded one by one, and of which spoken sentences are composed."""

from __future__ import annotations

from functools import cache

from isthmus.worlds.things.things import things

WORDS = (
    *("one", "two", "three", "little", "big", "red", "green", "blue"),
    *("i see", "then", "and", "on the left", "in the middle", "on the right", "from left to right"),
    *("to the right of", "to the left of"),
)
"""The units that are no things."""


@cache
def unit_texts() -> tuple[str, ...]:
    """What is said in each unit, in the order of their numbers.

    Returns:
        The singular of every thing, the plural of every thing (also where it is the same word), then `WORDS`.

    Example:
        >>> from isthmus.worlds.things.speech.units import plural_unit, unit_texts
        >>> unit_texts()[0], unit_texts()[plural_unit(0)], unit_texts()[-1]
        ('dog', 'dogs', 'to the left of')
    """
    return (*(thing.name for thing in things()), *(thing.plural for thing in things()), *WORDS)


def singular_unit(thing: int) -> int:
    """The number of the unit that names one of a thing."""
    return thing


def plural_unit(thing: int) -> int:
    """The number of the unit that names several of a thing."""
    return len(things()) + thing


UNIT_OF_WORD = {word: 2 * len(things()) + place for place, word in enumerate(WORDS)}
"""The number of each unit that is no thing."""
