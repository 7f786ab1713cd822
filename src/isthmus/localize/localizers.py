"""Localizers: three ways to divide items into parts and to make rows of queries, with one interface.

`DenseLocalizer` compares the encoder's tokens with the query, `ProposalLocalizer` windows that are embedded one by one,
`CodeLocalizer` code distributions. `isthmus.localize.localized` does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from PIL import Image

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.localize.crops import crops, image_of, squared, tokens_of
from isthmus.localize.detector import Detector
from isthmus.localize.heat import lifted
from isthmus.localize.joint_encoder import JointEncoder, space_with
from isthmus.localize.parts import Parts, TokenParts, WindowParts
from isthmus.localize.windows import multi_scale_windows
from isthmus.spaces import Space


@runtime_checkable
class Localizer(Protocol):
    """A way to localize. Items and queries are as `isthmus.spaces.Space.encode` takes them."""

    def parts(self, items: Iterable[Any], modality: str = "image") -> Sequence[Parts]:
        """The parts of each item to look in; they serve any number of queries."""

    def queries(self, items: Iterable[Any], modality: str) -> Float[np.ndarray, "queries dim"]:
        """One row per query."""


@dataclass(frozen=True)
class DenseLocalizer:
    """Compares each token of the encoder (patch, step of audio, word), through the connector, with the query.

    Args:
        encoder: Encodes items in tokens, and queries.
    """

    encoder: JointEncoder

    def parts(self, items: Iterable[Any], modality: str = "image") -> list[TokenParts]:
        """The tokens of each item. Encoded at once: pass as many items as fit in memory."""
        tokens = tokens_of(self.encoder.space_of(modality), items, modality)
        return TokenParts.of(tokens, self.encoder.project_tokens(tokens))

    def queries(self, items: Iterable[Any], modality: str) -> Float[np.ndarray, "queries dim"]:
        """The queries in the joint space."""
        return self.encoder.encode(items, modality)


@dataclass(frozen=True)
class ProposalLocalizer:
    """Compares windows of an image, each embedded like an image of its own, with the query, as C-MCR does.

    Args:
        encoder: Encodes windows and queries.
        detector: Finds objects, whose boxes are then the windows, with the whole image; by default windows of several
            sizes and shapes.
    """

    encoder: JointEncoder
    detector: Detector | None = None

    def parts(self, items: Iterable[Any], modality: str = "image") -> list[WindowParts]:
        """The windows of each image. Raises `IsthmusError` for other modalities."""
        if modality != "image":
            raise IsthmusError(f"proposals are windows of images, not of {modality}: localize it densely or by codes")
        found = []
        for item in items:
            image = image_of(item)
            places = multi_scale_windows(*image.size) if self.detector is None else self._objects(image)
            rows = self.encoder.encode([squared(crop) for crop in crops(image, places)], "image")
            found.append(WindowParts(rows, places, (float(image.width), float(image.height))))
        return found

    def queries(self, items: Iterable[Any], modality: str) -> Float[np.ndarray, "queries dim"]:
        """The queries in the joint space."""
        return self.encoder.encode(items, modality)

    def _objects(self, image: Image.Image) -> Float[np.ndarray, "windows 4"]:
        """The detector's boxes inside the image, of at least a pixel, after the whole image."""
        assert self.detector is not None
        whole = np.array([[0, 0, *image.size]], np.float64)
        boxes = np.clip(self.detector.boxes(image), 0, whole[0, [2, 3, 2, 3]])
        return np.concatenate([whole, boxes[(boxes[:, 2:] - boxes[:, :2] >= 1).all(1)]])


@dataclass(frozen=True)
class CodeLocalizer:
    """Compares the code distribution of each token with that of the query: ``Σ_v √(P(v | h) Q(v))`` (`agreement`).

    The query's distribution is reweighted by how common each code was in training (`lifted`).

    Args:
        model: Code model with views of the encoders' tokens.
        spaces: The encoders of the views. If several have a modality, the first encodes it.
    """

    model: CodeModel
    spaces: tuple[Space, ...]

    def parts(self, items: Iterable[Any], modality: str = "image") -> list[TokenParts]:
        """The tokens of each item. Encoded at once: pass as many items as fit in memory."""
        tokens = tokens_of(space_with(self.spaces, modality), items, modality)
        return TokenParts.of(tokens, np.exp(self.model.token_codes(tokens) / 2))

    def queries(self, items: Iterable[Any], modality: str) -> Float[np.ndarray, "queries dim"]:
        """The roots of the queries' code distributions."""
        tokens = tokens_of(space_with(self.spaces, modality), items, modality)
        counts = self.model.codebook.counts.cpu().numpy()
        return np.sqrt(lifted(np.exp(self.model.item_codes(tokens)), counts / counts.sum()))
