"""ULIP and ULIP-2: the point tower of an official checkpoint, without its image and text towers.

Images and texts of that space come from the encoders ULIP was trained against (SLIP, OpenCLIP): `isthmus convert`
imports them.
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
from isthmus.media import Item, UnreadableError, read_points
from isthmus.media.readers.points import READING
from isthmus.spaces.checkpoint import read_weights_only, revision_of
from isthmus.spaces.pointbert.tower import GROUP_POINTS, WIDTH, PointBert
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights
from isthmus.spaces.tensors import unit_rows_of

MOST_POINTS = 10_000
TOWER, PROJECTION = "point_encoder.", "pc_projection"
WRAPPED = "module."


@dataclass(frozen=True)
class PointPreparation:
    """Reads a cloud of at most 10 000 points in the unit sphere."""

    padding: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Depends on the number of points."""
        return fingerprint_of(READING, MOST_POINTS)

    def __call__(self, item: Item) -> EncoderInputs:
        """The points of one cloud. Raises `UnreadableError` for fewer than 32."""
        assert item.source is not None
        points = read_points(item.source, MOST_POINTS)
        if len(points) < GROUP_POINTS:
            raise UnreadableError(f"{item.name}: {len(points)} points, but PointBERT needs at least {GROUP_POINTS}")
        return {"points": points[None]}


@dataclass(frozen=True)
class Ulip:
    """ULIP's point tower."""

    device: str
    tower: PointBert
    projection: Tensor
    revision: str

    def preparation(self, modality: str) -> Preparation:
        """Clouds of at most 10 000 points."""
        return PointPreparation()

    @torch.inference_mode()
    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per cloud. Points are grouped in float32; the transformer has the space's precision."""
        points = torch.from_numpy(np.ascontiguousarray(inputs["points"], np.float32)).to(self.device)
        centres, groups = self.tower.grouped(points)
        kind = self.projection.dtype
        return unit_rows_of(self.tower.transformed(centres.to(kind), groups.to(kind)) @ self.projection)


def load(weights: Weights) -> Ulip:
    """Load the point tower of an official checkpoint.

    Raises `IsthmusError` if the file does not exist, has more than plain weights, or has no PointBERT of xyz points.
    """
    state = read_state(Path(weights.source))
    tower = PointBert()
    own = {name.removeprefix(TOWER): value for name, value in state.items() if name.startswith(TOWER)}
    if PROJECTION not in state or not own:
        raise IsthmusError(f"{weights.source}: has no {TOWER}* and {PROJECTION}: give ULIP's PointBERT checkpoint")
    projection = state[PROJECTION]
    if projection.shape[0] != 2 * WIDTH:
        raise IsthmusError(
            f"{weights.source}: expected {PROJECTION} of shape ({2 * WIDTH}, …), got {tuple(projection.shape)}"
        )
    try:
        tower.load_state_dict(own)
    except RuntimeError as error:
        raise IsthmusError(f"{weights.source}: is not a PointBERT of xyz points ({reason_of(error)})") from error
    kind = getattr(torch, weights.precision)
    tower = tower.eval().requires_grad_(False).to(weights.device, kind)
    return Ulip(weights.device, tower, projection.detach().to(weights.device, kind), revision_of(weights))


def read_state(path: Path) -> dict[str, Tensor]:
    """A checkpoint's weights by name. Raises as `read_weights_only`."""
    content = read_weights_only(path)
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    return {name.removeprefix(WRAPPED): value for name, value in state.items() if isinstance(value, Tensor)}
