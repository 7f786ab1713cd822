"""Names of spaces: a space that others are mapped into, and which names can be compared.

A star and Ex-MCR keep one space, the base, and map others into it. Mapped vectors are named after the base and all
maps of the star: ``clip via clap#979c9c55, ulip#70d88d20``. They can be compared with the base's own vectors, and with
those of the same star with fewer or more leaves, but not with those of another star.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from isthmus.base.errors import IsthmusError

LEG = r"[^,]+#[0-9a-f]{8}"
MAPPED = re.compile(rf"(?P<base>.+) via (?P<legs>{LEG}(?:, {LEG})*)")


def mapped_into(base: str, legs: Iterable[str]) -> str:
    """The name of vectors mapped into a base; each leg is the leaf's name, '#' and the map's fingerprint.

    If vectors of the base were mapped themselves, the name has their legs too: all are in the same space.

    Example:
        >>> mapped_into("clip via clap#979c9c55", ["ulip#70d88d20"])
        'clip via clap#979c9c55, ulip#70d88d20'
    """
    root, before = _parts(base)
    return f"{root} via {', '.join(sorted(before.union(legs)))}"


def require_leaf_name(space: str) -> None:
    """Raise `IsthmusError` if a leaf's name, as part of the name of mapped vectors, would be read as something else."""
    if "," in space or " via " in space:
        raise IsthmusError(
            f"space {space!r} cannot be mapped into another: the names of mapped vectors list spaces, so a space's own "
            "name must not contain ',' or ' via ': rename it"
        )


def shared_space(one: str, other: str) -> str | None:
    """The name of the space that vectors of two names have in common; ``None`` if they cannot be compared.

    It is the longer name of a base and a star around it, or of a star and the same star with more leaves.

    Example:
        >>> shared_space("clip", "clip via clap#979c9c55")
        'clip via clap#979c9c55'
        >>> shared_space("clip via clap#979c9c55", "clip via clap#11111111") is None
        True
    """
    if one == other:
        return one
    (base, legs), (other_base, others) = _parts(one), _parts(other)
    if base != other_base or not (legs <= others or others <= legs):
        return None
    return one if others <= legs else other


def _parts(name: str) -> tuple[str, frozenset[str]]:
    """The base and the legs in a name; a space that nothing was mapped into has no legs."""
    found = MAPPED.fullmatch(name)
    return (found["base"], frozenset(found["legs"].split(", "))) if found else (name, frozenset())
