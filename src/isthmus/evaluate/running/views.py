"""Views: every way in which a model sees the two modalities of a task.

A connector has two spaces, and text may be encoded by both. A pair of modalities is compared *before* connecting, where
one space has both; *after*, in the joint space; and *across*, if the two vectors come from different spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.space_graph import SpaceGraph, load_any
from isthmus.evaluate.running.sources import Found, Source

When = Literal["before", "after", "across"]
DEFAULT = "default"
"""The name of the only subset, as MTEB has it."""


@dataclass(frozen=True)
class SpacePair:
    """One way to compare two modalities: which source encodes each, and whether their vectors are projected."""

    name: str
    when: When
    left: Source
    right: Source
    joint: Connector | SpaceGraph | None

    def rows(self, found: Found, names: Sequence[str]) -> tuple[Float[np.ndarray, "items dim"], str]:
        """The vectors of entries that were found, by id, where they are compared, and the name of that space."""
        index = np.array([found.row_of[name] for name in names])
        used, place = np.unique(index, return_inverse=True)
        rows = found.rows.take(used)
        projected = rows if self.joint is None else self.joint.project(rows)
        return projected.vectors[place], projected.space


@dataclass(frozen=True)
class Model:
    """What is evaluated: the spaces of a connector or graph and their projection, or bare spaces.

    Attributes:
        name: How results call it.
        revision: Which weights it has.
        sources: Where vectors come from.
        joint: The connector or graph, if there is one.
    """

    name: str
    revision: str
    sources: Sequence[Source]
    joint: Connector | SpaceGraph | None = None

    def other_revisions(self) -> list[str]:
        """Encoders whose weights are not those that the connector was fitted with, in a line each."""
        legs = self.joint.legs if isinstance(self.joint, SpaceGraph) else [self.joint] if self.joint is not None else []
        fitted = {space: revision for leg in legs for space, revision in leg.revisions.items() if revision}
        return [
            f"the connector was fitted with revision {fitted[own.space]} of {own.space!r}, the vectors are of "
            f"{own.revision}: other weights under one name give figures that mean nothing"
            for own in self.sources
            if own.space in fitted and own.revision not in ("", fitted[own.space])
        ]

    def views(self, left: str, right: str) -> list[SpacePair]:
        """Every way to compare two modalities; the one that the task's main score is of comes first.

        Raises `IsthmusError` if no space has one of them, or if there are two spaces and no connector.
        """
        holders = [[own for own in self.sources if own.has(name)] for name in (left, right)]
        for name, own in zip((left, right), holders, strict=True):
            if not own:
                known = ", ".join(source.space for source in self.sources) or "none"
                raise IsthmusError(f"no space has {name} (spaces: {known}): add one with --space, or sets with --sets")
        found: list[tuple[When, Source, Source, bool]] = []
        for one in holders[0]:
            for other in holders[1]:
                same = one.space == other.space
                if same:
                    found.append(("before", one, other, False))
                if self.joint is not None:
                    found.append(("after" if same else "across", one, other, True))
        if not found:
            raise IsthmusError(
                f"{left} is in {holders[0][0].space!r}, {right} in {holders[1][0].space!r}: give a connector of both"
            )
        return _named(sorted(found, key=lambda own: ORDER[own[0]]), self.joint)


ORDER: dict[When, int] = {"after": 0, "across": 1, "before": 2}


def load_joint(place: Path | None) -> Connector | SpaceGraph | None:
    """The connector or graph at a place, if one is given."""
    return None if place is None else load_any(place)


def spaces_of(joint: Connector | SpaceGraph) -> list[str]:
    """The names of the spaces that are connected."""
    return joint.spaces if isinstance(joint, SpaceGraph) else [joint.left_space, joint.right_space]


def revision_of(joint: Connector | SpaceGraph) -> str:
    """The fingerprints of the weights; a star is named after its base, so its own name has none."""
    return "-".join(re.findall(r"#([0-9a-f-]+)", joint.projected_space))


def _named(found: Sequence[tuple[When, Source, Source, bool]], joint: Connector | SpaceGraph | None) -> list[SpacePair]:
    """Names as short as they can be: "before", or "across (clip, clap)" if there are several of that kind."""
    kinds = [own[0] for own in found]
    views = []
    for when, one, other, projected in found:
        name = when if kinds.count(when) == 1 else f"{when} ({one.space}, {other.space})"
        views.append(SpacePair(DEFAULT if len(found) == 1 else name, when, one, other, joint if projected else None))
    return views
