"""`Connector`: projects embeddings of two spaces into their joint space, estimates, saves and loads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from isthmus.artifacts.folder import ModelFiles
from isthmus.artifacts.hub import HubModel
from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.base.space_names import mapped_into, shared_space
from isthmus.connectors.card import model_card
from isthmus.connectors.files import connector_files, named_tensors, read_connector
from isthmus.connectors.member import Head, Member, project_blend, unit
from isthmus.connectors.official import SUFFIXES, OfficialCheckpoint, read_official, write_official
from isthmus.connectors.official_spaces import official_space, warn_of_another
from isthmus.connectors.trust.abstention import too_wide
from isthmus.connectors.trust.estimate import FEW_DIMENSIONS, band_from_neighbours
from isthmus.connectors.trust.figures import Band, GalleryEstimate
from isthmus.connectors.trust.report import ConnectorReport
from isthmus.connectors.trust.scores import UnrelatedScores
from isthmus.embeddings import Embeddings
from isthmus.embeddings.health import varying_directions
from isthmus.metrics import mutual_neighbour_rates

ESTIMATE_ROWS, ESTIMATE_QUERIES = 50, 2000
PROJECT_ROWS = 8192
"""Rows projected at once: bounds memory, and is enough for the matrix products to run at full speed."""


@dataclass(frozen=True, eq=False, repr=False)
class Connector(HubModel):
    """Projects embeddings of two spaces into one joint space; made by `connect`, or read by `load`.

    Cosines in the joint space are the weighted mean of the members' cosines: the members' unit vectors are concatenated
    with the square roots of their weights as factors. A blend of several is then reduced to a few common directions.

    Args:
        left_space: Name of the left space, as in `Embeddings.space`.
        right_space: Name of the right space.
        overlap: Modality that the spaces share.
        members: One pair of heads, or several that are blended.
        weights: Weight of each member.
        config: Method, options and seed of the fit.
        choice: What ``"auto"`` chose and why.
        report: How far to trust the connector; measured without pairs.
        basis: ``(wide, joint)`` orthonormal directions to which a blend is reduced.
        revisions: Revision of each encoder, by the name of its space.
        scores: The cosines of unrelated items for each pair of modalities: percentiles and cut-offs. Connectors saved
            by earlier versions and official checkpoints have none, and say so when they are asked.

    Example:
        >>> import isthmus, numpy as np, tempfile
        >>> draw = np.random.default_rng(0)
        >>> meaning = draw.standard_normal((60, 4))
        >>> def rows(modality, space, dim):
        ...     vectors = meaning @ draw.standard_normal((4, dim))
        ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space, ids=range(60))
        >>> clip = {"text": rows("text", "clip", 8), "image": rows("image", "clip", 8)}
        >>> clap = {"text": rows("text", "clap", 6), "audio": rows("audio", "clap", 6)}
        >>> connector = isthmus.connect(clip, clap, method="procrustes")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     loaded = isthmus.Connector.load(connector.save(folder))
        >>> loaded.space == connector.space, loaded.dim
        (True, 6)
    """

    left_space: str
    right_space: str
    overlap: str
    members: tuple[Member, ...]
    weights: tuple[float, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)
    report: ConnectorReport | None = None
    basis: Float[Tensor, "wide joint"] | None = None
    revisions: Mapping[str, str] = field(default_factory=dict)
    scores: UnrelatedScores = field(default_factory=UnrelatedScores)

    def __repr__(self) -> str:
        return f"Connector({self.space!r}, {len(self.members)} members, {self.dim}-d)"

    @property
    def space(self) -> str:
        """Name of the joint space. It ends in a fingerprint, so that vectors of two connectors cannot be mixed up."""
        return f"{self.left_space}+{self.right_space}#{self.fingerprint}"

    @cached_property
    def base(self) -> str | None:
        """The space whose vectors stay as they are, so that stored ones remain valid (Ex-MCR); else None."""
        if self.basis is None and len(self.members) == 1:
            for space in (self.left_space, self.right_space):
                if not any(len(head.projector) or head.centres or head.adapters for head in self.heads(space)):
                    return space
        return None

    @property
    def leg(self) -> str:
        """The name of the map into the base: the leaf's space and the fingerprint."""
        leaf = self.left_space if self.base == self.right_space else self.right_space
        return f"{leaf}#{self.fingerprint}"

    @property
    def projected_space(self) -> str:
        """The space of projected vectors: the joint space or, if a base stays as it is, the base via its leaf."""
        return self.space if self.base is None else mapped_into(self.base, [self.leg])

    @property
    def overlaps(self) -> tuple[str, ...]:
        """The overlap as a tuple, because a graph of spaces has several."""
        return (self.overlap,)

    @cached_property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits computed from the weights."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.tensors()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
        digest.update(repr(self.weights).encode())
        return digest.hexdigest()[:8]

    @property
    def dim(self) -> int:
        """Dimension of the joint space."""
        if self.basis is not None:
            return self.basis.shape[1]
        probe = torch.zeros(1, self.input_dim(self.left_space))
        return sum(member.left.project(probe, self.overlap).shape[1] for member in self.members)

    def input_dim(self, space: str) -> int:
        """Dimension of the vectors of one of the two spaces."""
        own = _linear_layers(self.heads(space)[0])
        if own:
            return own[0].in_features
        other = self.right_space if space == self.left_space else self.left_space
        return _linear_layers(self.heads(other)[0])[-1].out_features

    def heads(self, space: str) -> tuple[Head, ...]:
        """Each member's head of a space. Raises `IsthmusError` for a space that is not one of the two."""
        if space == self.left_space:
            return tuple(member.left for member in self.members)
        if space == self.right_space:
            return tuple(member.right for member in self.members)
        known = f"{self.left_space!r} and {self.right_space!r}"
        raise IsthmusError(
            f"the embeddings are of space {space!r}, the connector connects {known}: pass embeddings of one "
            "of those (the space of a folder without a manifest is its name: choose another with space= or --space)"
        )

    def project(self, embeddings: Embeddings) -> Embeddings:
        """Project embeddings of either space into the joint space.

        Args:
            embeddings: ``(n, dim)`` vectors of one of the two spaces. Those of a `base` are returned unchanged. An
                official checkpoint takes those of other checkpoints of its families, `space_of`, with a warning.

        Returns:
            ``(n, joint)`` unit vectors with the same ids and modality.

        Raises:
            IsthmusError: The space is not one of the two, the dimension is not that of the space, or the modality was
                not connected.
        """
        space = self.space_of(embeddings.space)
        heads = self.heads(space)
        if self._official and not self.config.get("exported", False):
            warn_of_another(embeddings, self._official)
        _require_known(heads, embeddings)
        expected = self.input_dim(space)
        if embeddings.dim != expected:
            raise IsthmusError(
                f"the {embeddings.modality} vectors have {embeddings.dim} dimensions, space {space!r} has "
                f"{expected}: embed the items with the model that was connected"
            )
        if space == self.base:
            same = embeddings.space == space
            return embeddings if same else embeddings.with_vectors(embeddings.vectors, space=space)
        blocks = [self._project_rows(heads, block, embeddings.modality) for block in embeddings.batches(PROJECT_ROWS)]
        vectors = np.concatenate(blocks) if blocks else np.empty((0, self.dim), np.float32)
        return embeddings.with_vectors(vectors, space=self.projected_space, origin=space)

    def space_of(self, space: str) -> str:
        """Which of the two spaces vectors of ``space`` belong to; ``space`` itself if to neither.

        An official checkpoint takes those of any checkpoint of its two families: ``ulip`` those of ``ulip:NAME``.
        """
        return official_space(space, (self.left_space, self.right_space)) if self._official else space

    @property
    def _official(self) -> str | None:
        """Name of the official file this was read from."""
        return self.config.get("official")

    def _project_rows(
        self, heads: tuple[Head, ...], rows: Float[np.ndarray, "rows dim"], modality: str
    ) -> Float[np.ndarray, "rows joint"]:
        block = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))
        wide = project_blend(heads, self.weights, block, modality)
        narrow = wide if self.basis is None else unit(wide @ self.basis.double())
        return narrow.float().numpy()

    def estimate(self, queries: Embeddings, gallery: Embeddings) -> Band:
        """Estimate the mean reciprocal rank of retrieving ``gallery`` by ``queries``, without pairs.

        The estimate assumes that each query has one counterpart in the gallery. It follows from the share of queries
        that are the nearest neighbour of their own nearest neighbour, beyond the share of unrelated items of which that
        holds (`scores`), the number of queries and the gallery's size.

        Args:
            queries: Projected embeddings, at least 50.
            gallery: Projected embeddings of another modality, at least 50.

        Returns:
            A band, for a gallery of this size.

        Raises:
            IsthmusError: The embeddings are not projected by this connector, there are too few of them, they vary in
                fewer than 8 directions, or the connector has no scores of unrelated items of these modalities.
        """
        for embeddings in (queries, gallery):
            if shared_space(embeddings.space, self.projected_space) is None:
                raise IsthmusError(
                    f"the {embeddings.modality} embeddings are of space {embeddings.space!r}: project them with this "
                    f"connector first (its joint space is {self.projected_space!r})"
                )
            if len(embeddings) < ESTIMATE_ROWS:
                raise IsthmusError(
                    f"{len(embeddings)} {embeddings.modality} rows are too few for an estimate: pass at least "
                    f"{ESTIMATE_ROWS}"
                )
            if (directions := varying_directions(embeddings.vectors)) < FEW_DIMENSIONS:
                raise IsthmusError(
                    f"no estimate: the {embeddings.modality} rows vary in {directions} directions, {FEW_DIMENSIONS} "
                    "are needed: measure the connector on some pairs"
                )
        if (queries.modality, queries.origin) == (gallery.modality, gallery.origin):
            raise IsthmusError(
                f"no estimate: queries and gallery are both {queries.modality} rows of {queries.origin!r}: pass a "
                "gallery of another modality"
            )
        by_chance = self.scores.chance_neighbours(queries, gallery)
        rate, _ = mutual_neighbour_rates(queries.vectors, gallery.vectors)
        return band_from_neighbours(rate, by_chance, len(queries), len(gallery))

    def judged_on(self, queries: Embeddings, gallery: Embeddings) -> Connector:
        """The same connector, with a report whose verdict follows from the estimate for these queries and this gallery.

        Args:
            queries: Embeddings of one of the two spaces, not projected.
            gallery: Embeddings of another modality, not projected.

        Raises:
            IsthmusError: As `project`, or the connector has no report. If there is no estimate, the report says why.

        Example:
            >>> import isthmus, numpy as np
            >>> draw = np.random.default_rng(0)
            >>> meaning = draw.standard_normal((60, 4))
            >>> def rows(modality, space):
            ...     vectors = meaning @ draw.standard_normal((4, 8))
            ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space, ids=range(60))
            >>> clip = {"text": rows("text", "clip"), "image": rows("image", "clip")}
            >>> clap = {"text": rows("text", "clap"), "audio": rows("audio", "clap")}
            >>> connector = isthmus.connect(clip, clap, method="procrustes")
            >>> connector.judged_on(clap["audio"], clip["image"]).report.given.gallery
            'clip image'
        """
        if self.report is None:
            raise IsthmusError("the connector has no report: connect the spaces again to get one")
        given = self.gallery_estimate(queries, gallery, self.project(queries), self.project(gallery))
        return replace(self, report=self.report.judged_on(given))

    def gallery_estimate(
        self, queries: Embeddings, gallery: Embeddings, asked: Embeddings, searched: Embeddings
    ) -> GalleryEstimate:
        """The estimate for queries and a gallery, or why there is none; ``asked`` and ``searched`` are them, projected.

        Of more than 2000 queries, that many evenly spaced ones take part.
        """
        names = {"queries": f"{queries.space} {queries.modality}", "gallery": f"{gallery.space} {gallery.modality}"}
        some = asked.take(np.linspace(0, len(asked) - 1, min(len(asked), ESTIMATE_QUERIES)).astype(np.int64))
        try:
            band = self.estimate(some, searched)
            reason = too_wide(band)
        except IsthmusError as error:
            band, reason = None, str(error).removeprefix("no estimate: ")
        return GalleryEstimate(**names, count=len(asked), band=None if reason else band, reason=reason)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor with its name on disk: ``basis``, ``members.<n>.<left|right>.<projector|centres|adapters>…``."""
        return named_tensors(self.members, self.basis)

    def save(self, path: str | Path) -> Path:
        """Write ``config.json``, ``model.safetensors`` and the model card to a folder; returns the folder.

        A connector that the folder has already is replaced: at every moment it can be loaded, the old or the new one.

        Raises:
            IsthmusError: The folder has something else, or a file cannot be written.
        """
        return self.files().save(user_path(path))

    def files(self) -> ModelFiles:
        """What the folder of the connector is made of."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        dims = {space: self.input_dim(space) for space in (self.left_space, self.right_space)}
        return connector_files(own, self.space, model_card(own, dims, self.dim))

    @classmethod
    def load(cls, path: str | Path) -> Connector:
        """Read a folder written by `save`, or a checkpoint that C-MCR's or Ex-MCR's authors released (a ``.pt`` file).

        Raises `IsthmusError` naming the file that is missing, altered or of another kind.
        """
        place = user_path(path)
        if place.suffix in SUFFIXES:
            official = read_official(place)
            spaces = official.left_space, official.right_space
            config = {"method": official.member.method, "official": place.name, "exported": official.exported}
            return cls(*spaces, official.overlap, (official.member,), (1.0,), config=config)
        return read_connector(place, cls._checked)

    @classmethod
    def _checked(cls, own: dict[str, Any], space: str) -> Connector:
        """The connector with these fields, if it has this joint space and can project."""
        connector = cls(**own)
        if connector.space != space:
            raise IsthmusError(f"it describes {space!r}, the weights are those of {connector.space!r}")
        for own_space in (connector.left_space, connector.right_space):
            heads = connector.heads(own_space)
            row = np.zeros((1, connector.input_dim(own_space)), np.float32)
            for modality in {connector.overlap, *(name for head in heads for name in (*head.centres, *head.adapters))}:
                connector._project_rows(heads, row, modality)
        return connector

    def export(self, path: str | Path) -> Path:
        """Write the weights in the layout of the authors' checkpoints (a ``.pt`` file); returns the path.

        Raises `IsthmusError` if that layout has no place for them: see `official.write_official`.
        """
        if len(self.members) != 1:
            raise IsthmusError(
                f"a blend of {len(self.members)} members cannot be exported: connect with --method cmcr or exmcr"
            )
        return write_official(
            OfficialCheckpoint(self.left_space, self.right_space, self.overlap, self.members[0]), user_path(path)
        )


def _require_known(heads: tuple[Head, ...], embeddings: Embeddings) -> None:
    """Refuse a modality without a centre if others have one; after connecting without a memory any modality passes."""
    known = {modality for head in heads for modality in head.centres}
    if len(known) > 1 and embeddings.modality not in known:
        raise IsthmusError(
            f"modality {embeddings.modality!r} of space {embeddings.space!r} was not connected: pass "
            f"{' or '.join(sorted(known))}, or connect again with it as the memory"
        )


def _linear_layers(head: Head) -> list[nn.Linear]:
    """The projector's linear layers, at any depth; none if the head is the identity (Ex-MCR's base)."""
    return [layer for layer in head.projector.modules() if isinstance(layer, nn.Linear)]
