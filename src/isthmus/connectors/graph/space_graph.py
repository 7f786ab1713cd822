"""`SpaceGraph`: more than two spaces connected through overlaps, with one joint space for all their modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from isthmus.artifacts.card import bullets, card, usage
from isthmus.artifacts.folder import GRAPH
from isthmus.artifacts.hub import HubModel
from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.base.space_names import mapped_into, shared_space
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.files import read_graph, write_graph
from isthmus.connectors.trust.scores import UnrelatedScores
from isthmus.embeddings import Embeddings
from isthmus.embeddings.pairing import require_same_rows

Kind = Literal["star", "joint"]


@dataclass(frozen=True, eq=False, repr=False)
class SpaceGraph(HubModel):
    """More than two spaces with one joint space, made by `connect_graph` or read by `load` and `from_pretrained`.

    A ``star`` keeps the vectors of its base: the joint space is the base space, and each leaf is mapped into its
    parent, and so on up to the base (Ex-MCR). Mapped vectors can be compared with the base's own and with others of
    the same star, not with those of another star. A ``joint`` graph projects all spaces into a new one.

    Args:
        kind: ``"star"`` or ``"joint"``.
        base: Name of the base space.
        legs: One connector for each other space. In a star it leads from the leaf's parent (left) to the leaf (right);
            in a joint graph from the base (left), which has the same head in every leg.
        parents: For each leaf, the space with which it shares its overlap.
        scores: The cosines of unrelated items for each pair of modalities, as `Connector.scores`. A leaf that is added
            to a star has those of the sets it was added with.

    Example:
        >>> import isthmus, numpy as np
        >>> draw = np.random.default_rng(0)
        >>> meaning = draw.standard_normal((50, 4))
        >>> def rows(modality, space, dim):
        ...     vectors = meaning @ draw.standard_normal((4, dim))
        ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space, ids=range(50))
        >>> clip = {"text": rows("text", "clip", 8), "image": rows("image", "clip", 8)}
        >>> clap = {"text": rows("text", "clap", 6), "audio": rows("audio", "clap", 6)}
        >>> ulip = {"image": rows("image", "ulip", 7), "points": rows("points", "ulip", 7)}
        >>> graph = isthmus.connect_graph([clip, clap, ulip], method="cca")
        >>> graph.path("clap", "ulip")
        [('clap', 'text', 'clip'), ('clip', 'image', 'ulip')]
        >>> graph.project(clap["audio"]).vectors.shape, graph.project(ulip["points"]).vectors.shape
        ((50, 6), (50, 6))
    """

    kind: Kind
    base: str
    legs: tuple[Connector, ...]
    parents: Mapping[str, str]
    scores: UnrelatedScores = field(default_factory=UnrelatedScores)

    def __post_init__(self) -> None:
        leaves = self.spaces[1:]
        if self.kind not in ("star", "joint") or (self.kind == "joint" and not leaves):
            raise IsthmusError(f"a graph of kind {self.kind!r} with {len(leaves)} legs: the kind is star or joint")
        if len(set(self.spaces)) <= len(leaves) or set(self.parents) != set(leaves):
            raise IsthmusError(f"the parents {dict(self.parents)} are not one for each of the leaves {leaves}")
        for leg in self.legs:
            above = self.parents[leg.right_space] if self.kind == "star" else self.base
            if leg.left_space != above:
                raise IsthmusError(f"the leg to {leg.right_space!r} leads from {leg.left_space!r}, not from {above!r}")
        reached = [self.base]
        while new := [leaf for leaf in leaves if leaf not in reached and self.parents[leaf] in reached]:
            reached += new
        if cut := [leaf for leaf in leaves if leaf not in reached]:
            raise IsthmusError(f"the parents of {', '.join(cut)} do not lead to the base {self.base!r}")

    def __repr__(self) -> str:
        return f"SpaceGraph({self.kind} around {self.base!r}: {', '.join(self.spaces)})"

    @property
    def spaces(self) -> list[str]:
        """The names of all spaces, the base first."""
        return [self.base, *(leg.right_space for leg in self.legs)]

    @property
    def overlaps(self) -> tuple[str, ...]:
        """The modalities that connect the spaces."""
        return tuple(dict.fromkeys(leg.overlap for leg in self.legs))

    @property
    def space(self) -> str:
        """The name of the joint space: a star's is that of its base, another's is new and ends in a fingerprint."""
        if self.kind == "star":
            return self.base
        fingerprints = "-".join(leg.fingerprint[:4] for leg in self.legs)
        return f"{'+'.join(self.spaces)}#{fingerprints}"

    @property
    def projected_space(self) -> str:
        """The space of projected vectors: the joint space or, in a star, the base via its leaves."""
        return mapped_into(self.base, [leg.leg for leg in self.legs]) if self.kind == "star" else self.space

    def leg_of(self, space: str) -> Connector:
        """The leg that leads to a space. Raises `IsthmusError` for a space that is not in the graph."""
        found = next((leg for leg in self.legs if leg.right_space == space), None)
        if found is None:
            known = ", ".join(repr(name) for name in self.spaces)
            raise IsthmusError(f"space {space!r} is not in this graph: pass embeddings of {known}")
        return found

    def path(self, start: str, end: str) -> list[tuple[str, str, str]]:
        """The steps from one space to another: (space, overlap, next space)."""
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
        """Project embeddings of any of the spaces into the joint space.

        Args:
            embeddings: ``(n, dim)`` vectors of any modality. A star returns embeddings of its base unchanged.

        Returns:
            ``(n, joint)`` unit vectors with the same ids and modality.

        Raises:
            IsthmusError: The space is not in the graph, or `Connector.project` refuses the embeddings.
        """
        origin = self._space_of(embeddings.space)
        if self.kind == "joint":
            leg = self.legs[0] if origin == self.base else self.leg_of(origin)
            return renamed(leg.project(embeddings), self.space, origin)
        if origin == self.base:
            return embeddings if embeddings.space == origin else self.legs[0].project(embeddings)
        space = origin
        while space != self.base:
            leg = self.leg_of(space)
            space = leg.left_space
            embeddings = renamed(leg.project(embeddings), space, origin)
        return renamed(embeddings, self.projected_space, origin)

    def _space_of(self, space: str) -> str:
        """The space of the graph that vectors of a space belong to, as `Connector.space_of`."""
        if space in self.spaces:
            return space
        return next((own for leg in self.legs if (own := leg.space_of(space)) in self.spaces), space)

    def with_leaf(self, leg: Connector) -> SpaceGraph:
        """A copy of a star with one more leaf; the other legs stay bit for bit as they are.

        Raises `IsthmusError` if the graph is not a star, or if the leg's parent is not in it or would be changed.
        """
        if self.kind != "star":
            raise IsthmusError("a joint space depends on every space in it: connect all sets again, or use a star")
        if leg.left_space not in self.spaces:
            raise IsthmusError(f"the leg's parent {leg.left_space!r} is not in the graph ({', '.join(self.spaces)})")
        if leg.right_space in self.spaces:
            raise IsthmusError(f"{leg.right_space!r} is already in the graph: give a new space")
        if any(len(member.left.projector) or member.left.centres for member in leg.members):
            raise IsthmusError("the leg would change its parent's vectors: fit it with method exmcr and base left")
        parents = {**self.parents, leg.right_space: leg.left_space}
        return replace(self, legs=(*self.legs, leg), parents=parents)

    def lines(self) -> list[str]:
        """The graph as text: each leg with the retrieval of its held-out overlap rows, then the paths."""
        found = []
        for leg in self.legs:
            measured = "" if leg.report is None else f"; held-out {leg.overlap}: MRR {leg.report.overlap_mrr:.2f}"
            found.append(f"{self.parents[leg.right_space]} -- {leg.overlap} -- {leg.right_space}{measured}")
        for start, end in combinations(self.spaces[1:], 2):
            steps = "".join(f" -({overlap})-> {space}" for _, overlap, space in self.path(start, end))
            found.append(f"{start} to {end}: {start}{steps}")
        return found

    def __str__(self) -> str:
        return "\n".join([repr(self), *self.lines()])

    def save(self, path: str | Path) -> Path:
        """Write ``graph.json``, the card and the folder of each leg; returns the folder.

        A graph that the folder has already is replaced: at every moment it can be loaded, the old or the new one.

        Raises:
            IsthmusError: The folder has something else, or a file cannot be written.
        """
        return write_graph(user_path(path), {one.name: getattr(self, one.name) for one in fields(self)}, self._card())

    @classmethod
    def load(cls, path: str | Path) -> SpaceGraph:
        """Read a folder that `save` wrote. Raises `IsthmusError` naming the file that is missing or altered."""
        return read_graph(user_path(path), lambda fields: cls(**fields))

    def _card(self) -> str:
        return card(
            " + ".join(self.spaces),
            ("multimodal", "embeddings", "contrastive", "ex-mcr"),
            f"A {self.kind} graph around `{self.base}`. The card in each leg's folder says how the leg was fitted and "
            "which licences apply.",
            bullets(self.lines()),
            "## Load",
            usage(
                'graph = isthmus.SpaceGraph.from_pretrained("this folder")',
                "joint = graph.project(embeddings)  # of any of its spaces",
            ),
        )


def load_any(folder: Path) -> Connector | SpaceGraph:
    """The graph of spaces or the connector in a folder, or an official checkpoint."""
    return SpaceGraph.load(folder) if (folder / GRAPH).is_file() else Connector.load(folder)


def renamed(embeddings: Embeddings, space: str, origin: str | None = None) -> Embeddings:
    """The same rows with another name for their space, from which or from ``origin`` they were projected."""
    return embeddings.with_vectors(embeddings.vectors, space=space, origin=origin)


def mix_embeddings(parts: Sequence[Embeddings], weights: Sequence[float]) -> Embeddings:
    """The weighted sum of several embeddings of the same items, brought to unit length.

    A space that represents a modality well can thus improve another (FreeBind, Wang et al., ICML 2024).

    Args:
        parts: Embeddings of one modality in one (joint) space, with the same ids in the same order, or all without
            ids; they are then taken row by row.
        weights: One number for each part, none negative, not all 0.

    Returns:
        Embeddings with the ids, modality and space of the parts. A star's base and leaves count as one space.

    Raises:
        IsthmusError: The parts differ in ids, modality or space, a weight is negative, or all weights are 0.

    Example:
        >>> import isthmus, numpy as np
        >>> def part(x, y):
        ...     return isthmus.Embeddings.from_array(np.float32([[x, y]]), modality="text", space="joint")
        >>> isthmus.mix_embeddings([part(1, 0), part(0, 1)], [3.0, 4.0]).vectors.round(2)
        array([[0.6, 0.8]], dtype=float32)
    """
    if not parts:
        raise IsthmusError("there are no parts to mix: pass at least one")
    first = parts[0]
    space: str | None = first.space
    for part in parts:
        space = None if space is None else shared_space(space, part.space)
        if space is None:
            raise IsthmusError(f"{first!r} and {part!r} are not of the same space: project them first")
        require_same_rows(first, part)
        if part.dim != first.dim:
            raise IsthmusError(f"{first!r} and {part!r} have different dimensions: project both with the same model")
    assert space is not None
    if len(weights) != len(parts) or min(weights) < 0 or not sum(weights) > 0:
        raise IsthmusError(
            f"weights {list(weights)}: give one number, 0 or more, for each of the {len(parts)} parts, not all 0"
        )
    mixed = sum(np.float32(weight) * part.vectors for weight, part in zip(weights, parts, strict=True))
    origins = list(dict.fromkeys(part.origin for part in parts))
    return first.with_vectors(np.asarray(mixed), space=space, normalize=True, origin=" + ".join(origins))
