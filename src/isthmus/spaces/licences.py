"""Licences: what is known of those of the encoders behind a space's name."""

from __future__ import annotations

from isthmus.spaces.registry import families


def licence_of(space: str) -> str:
    """The licence of a space's encoder by the space's name; a checkpoint of one's own has its own."""
    name, _, checkpoint = space.partition(":")
    family = families().get(name)
    if family is None or checkpoint:
        return "see its own model card"
    return family.licence
