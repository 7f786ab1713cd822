"""ULIP and ULIP-2: the point tower of an official checkpoint; its picture and text towers are left out.

Pictures and texts of that space come from where ULIP took them (SLIP, OpenCLIP); bring them by `isthmus convert`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.base.hashing import fingerprint_of
from isthmus.embeddings.tokens import Tokens
from isthmus.media import Item, UnreadableError, read_points
from isthmus.spaces.batching import unit_rows_of
from isthmus.spaces.checkpoint import revision_of
from isthmus.spaces.pointbert.tower import GROUP_POINTS, WIDTH, PointBert
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation, no_tokens
from isthmus.spaces.weights_only import read_weights_only

MOST_POINTS = 10_000
TOWER, PROJECTION = "point_encoder.", "pc_projection"
WRAPPED = "module."


@dataclass(frozen=True)
class CloudViews:
    """A cloud in the unit sphere, of 10 000 points at most."""

    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Follows from the number of points."""
        return fingerprint_of("cloud 1", MOST_POINTS)

    def __call__(self, item: Item) -> EncoderInputs:
        """Points of one cloud. Raises `UnreadableError` for fewer than 32."""
        assert item.source is not None
        points = read_points(item.source, MOST_POINTS)
        if len(points) < GROUP_POINTS:
            raise UnreadableError(f"{item.name}: {len(points)} points, PointBERT needs {GROUP_POINTS}")
        return {"points": points[None]}


@dataclass(frozen=True)
class Ulip:
    """ULIP's points."""

    ask: Ask
    tower: PointBert
    projection: Tensor
    revision: str
    modalities: tuple[str, ...] = ("points",)
    token_modalities: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The space's name."""
        return self.ask.name

    def preparation(self, modality: str) -> Preparation:
        """Clouds of 10 000 points at most."""
        return CloudViews()

    @torch.inference_mode()
    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows. Sampling and grouping are float32, the transformer has the space's precision."""
        points = torch.from_numpy(np.ascontiguousarray(views["points"], np.float32)).to(self.ask.device)
        centres, groups = self.tower.grouped(points)
        kind = self.projection.dtype
        return unit_rows_of(self.tower.transformed(centres.to(kind), groups.to(kind)) @ self.projection)

    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Groups of points have no vector of their own in the joint space."""
        raise no_tokens(self.name)


def load(ask: Ask) -> Ulip:
    """The point tower of an official checkpoint.

    Raises `IsthmusError` where the file is absent, holds more than weights, or has no PointBERT of xyz.
    """
    state = read_state(Path(ask.checkpoint))
    tower = PointBert()
    own = {name.removeprefix(TOWER): value for name, value in state.items() if name.startswith(TOWER)}
    if PROJECTION not in state or not own:
        raise IsthmusError(f"{ask.checkpoint}: has no {TOWER}* and {PROJECTION}: give ULIP's PointBERT checkpoint")
    projection = state[PROJECTION]
    if projection.shape[0] != 2 * WIDTH:
        raise IsthmusError(
            f"{ask.checkpoint}: {PROJECTION} has shape {tuple(projection.shape)}, ({2 * WIDTH}, …) is needed"
        )
    try:
        tower.load_state_dict(own)
    except RuntimeError as error:
        raise IsthmusError(f"{ask.checkpoint}: not the PointBERT of xyz points ({reason_of(error)})") from error
    kind = getattr(torch, ask.precision)
    tower = tower.eval().requires_grad_(False).to(ask.device, kind)
    return Ulip(ask, tower, projection.detach().to(ask.device, kind), revision_of(ask))


def read_state(path: Path) -> dict[str, Tensor]:
    """A checkpoint's weights by name. Raises as `read_weights_only`."""
    content = read_weights_only(path)
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    return {name.removeprefix(WRAPPED): value for name, value in state.items() if isinstance(value, Tensor)}
