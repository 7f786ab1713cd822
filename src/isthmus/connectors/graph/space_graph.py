"""A graph of spaces: more than two, joined through overlaps, with one joint space for all their modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.connectors.connector import Connector
from isthmus.embeddings import Embeddings

Kind = Literal["star", "joint"]


@dataclass(frozen=True, eq=False, repr=False)
class SpaceGraph:
    """Ways from several spaces into one, each leg a `Connector` from its parent (left) to its leaf (right).

    A ``star`` keeps its base: its joint space is the base space itself, a leaf is mapped into its parent and so on
    until the base. A ``joint`` graph has a new space; its legs all begin at the base, whose head is the same in each.
    ``parents`` says with which space each leaf shares its overlap.
    """

    kind: Kind
    base: str
    legs: tuple[Connector, ...]
    parents: Mapping[str, str]

    def __repr__(self) -> str:
        return f"SpaceGraph({self.kind} around {self.base!r}: {', '.join(self.spaces)})"

    @property
    def spaces(self) -> list[str]:
        """Every space, the base first."""
        return [self.base, *(leg.right_space for leg in self.legs)]

    @property
    def overlaps(self) -> tuple[str, ...]:
        """The modalities through which spaces are joined."""
        return tuple(dict.fromkeys(leg.overlap for leg in self.legs))

    @property
    def space(self) -> str:
        """The joint space's name: the base's own, or a new one that ends in a fingerprint."""
        if self.kind == "star":
            return self.base
        fingerprints = "-".join(leg.fingerprint[:4] for leg in self.legs)
        return f"{'+'.join(self.spaces)}#{fingerprints}"

    def leg_of(self, space: str) -> Connector:
        """The leg whose leaf a space is. Raises `IsthmusError` for a space the graph does not know."""
        found = next((leg for leg in self.legs if leg.right_space == space), None)
        if found is None:
            known = ", ".join(repr(name) for name in self.spaces)
            raise IsthmusError(f"embeddings live in space {space!r}; this graph joins {known}: pass one of those")
        return found

    def path(self, start: str, end: str) -> list[tuple[str, str, str]]:
        """How one space is reached from another: (space, overlap, next space), step by step."""
        up, down = self._to_base(start), self._to_base(end)
        while up and down and up[-1] == down[-1]:
            up.pop()
            down.pop()
        return up + [(parent, overlap, leaf) for leaf, overlap, parent in reversed(down)]

    def _to_base(self, space: str) -> list[tuple[str, str, str]]:
        steps = []
        while space != self.base:
            steps.append((space, self.leg_of(space).overlap, self.parents[space]))
            space = self.parents[space]
        return steps

    def project(self, embeddings: Embeddings) -> Embeddings:
        """Embeddings of any of the spaces in the joint space: the same ids and modality, unit rows.

        Of a star, the base's own come back as they are. Raises `IsthmusError` as `Connector.project`.
        """
        if self.kind == "joint":
            leg = self.legs[0] if embeddings.space == self.base else self.leg_of(embeddings.space)
            return renamed(leg.project(embeddings), self.space)
        while embeddings.space != self.base:
            leg = self.leg_of(embeddings.space)
            embeddings = renamed(leg.project(embeddings), leg.left_space)
        return embeddings

    def with_leaf(self, leg: Connector) -> SpaceGraph:
        """A star with one more leaf; all others stay as they are, bit for bit.

        Raises `IsthmusError` where the graph is no star, the leg's parent is not in it, or the leg changes its parent.
        """
        if self.kind != "star":
            raise IsthmusError("a joint space changes with every space it joins: connect all sets anew, or use a star")
        if leg.left_space not in self.spaces:
            raise IsthmusError(
                f"the leg begins at {leg.left_space!r}, which the graph ({', '.join(self.spaces)}) lacks"
            )
        if leg.right_space in self.spaces:
            raise IsthmusError(f"the graph has {leg.right_space!r} already: give a space it lacks")
        if any(len(member.left.projector) or member.left.centres for member in leg.members):
            raise IsthmusError("the leg changes its parent's vectors: a star's legs are of method exmcr with base left")
        parents = {**self.parents, leg.right_space: leg.left_space}
        return replace(self, legs=(*self.legs, leg), parents=parents)

    def lines(self) -> list[str]:
        """The graph as text: each leg, how its overlap was found again, and the paths."""
        found = []
        for leg in self.legs:
            twins = (
                ""
                if leg.report is None
                else f"; held-out {leg.overlap}: mean reciprocal rank {leg.report.overlap_mrr:.2f}"
            )
            found.append(f"{self.parents[leg.right_space]} -- {leg.overlap} -- {leg.right_space}{twins}")
        leaves = self.spaces[1:]
        for number, start in enumerate(leaves):
            for end in leaves[number + 1 :]:
                steps = self.path(start, end)
                found.append(f"{start} to {end}: {start}" + "".join(f" -({over})-> {new}" for _, over, new in steps))
        return found

    def __str__(self) -> str:
        return "\n".join([repr(self), *self.lines()])

    def save(self, path: str | Path) -> Path:
        """Write the graph and each leg's folder; returns the folder."""
        from isthmus.connectors.graph.files import write_graph

        return write_graph(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> SpaceGraph:
        """Read what `save` wrote. Raises `IsthmusError` naming the file that is absent or altered."""
        from isthmus.connectors.graph.files import read_graph

        return read_graph(Path(path))


def renamed(embeddings: Embeddings, space: str) -> Embeddings:
    """The same rows under another space's name."""
    return Embeddings.from_array(
        embeddings.vectors, modality=embeddings.modality, space=space, ids=embeddings.ids, normalize=False
    )


def mix_embeddings(parts: Sequence[Embeddings], weights: Sequence[float]) -> Embeddings:
    """Items known in several spaces, projected into one: the weighted sum of their unit rows, brought to unit length.

    FreeBind's idea (Wang et al., ICML 2024): a space that knows a modality better may lend it to another. ``parts``
    are of one modality and one joint space and name the same items in the same order. Raises `IsthmusError` where
    they do not, or weights are negative or all zero.
    """
    first = parts[0]
    if any((part.space, part.modality) != (first.space, first.modality) or part.ids != first.ids for part in parts):
        raise IsthmusError(
            "a mixture needs the same items of one modality, projected into one space: project them first"
        )
    if len(weights) != len(parts) or min(weights) < 0 or not sum(weights) > 0:
        raise IsthmusError(f"weights {list(weights)}: give one number from 0 for each of the {len(parts)} parts")
    mixed = sum(np.float32(weight) * part.vectors for weight, part in zip(weights, parts, strict=True))
    return Embeddings.from_array(np.asarray(mixed), modality=first.modality, space=first.space, ids=first.ids)
