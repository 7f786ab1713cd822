"""EncoderInputs of many items as one batch for the model, and a batch's outputs as unit rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from isthmus.spaces.protocol import EncoderInputs

if TYPE_CHECKING:
    from torch import Tensor

LEAST_LENGTH = 1e-12


def collate(items: Sequence[EncoderInputs], padding: Mapping[str, int]) -> dict[str, np.ndarray]:
    """The views of items one after another; inputs named in ``padding`` are filled up to the longest."""
    return {name: _stacked([views[name] for views in items], padding.get(name)) for name in items[0]}


def _stacked(arrays: Sequence[np.ndarray], fill: int | None) -> np.ndarray:
    if fill is None:
        return np.concatenate(arrays)
    longest = max(array.shape[1] for array in arrays)
    whole = np.full((sum(map(len, arrays)), longest, *arrays[0].shape[2:]), fill, arrays[0].dtype)
    start = 0
    for array in arrays:
        whole[start : start + len(array), : array.shape[1]] = array
        start += len(array)
    return whole


def on_device(views: EncoderInputs, device: str, precision: str) -> dict[str, Tensor]:
    """The model's inputs as tensors; floating ones in the model's precision."""
    import torch

    found = {}
    for name, value in views.items():
        if not name.startswith("_"):
            tensor = torch.from_numpy(np.ascontiguousarray(value)).to(device, non_blocking=True)
            found[name] = tensor.to(getattr(torch, precision)) if tensor.is_floating_point() else tensor
    return found


def unit_rows_of(rows: Tensor) -> Float32[np.ndarray, "rows dim"]:
    """A model's output as float32 unit rows."""
    import torch

    return torch.nn.functional.normalize(rows.float(), dim=-1).cpu().numpy()


def as_array(rows: Tensor) -> Float32[np.ndarray, ...]:
    """A model's output as float32."""
    return rows.float().cpu().numpy()


def mean_of_views(rows: Float32[np.ndarray, "views dim"], counts: Sequence[int]) -> Float32[np.ndarray, "items dim"]:
    """Each item's views averaged and brought to unit length; an item of one view keeps its row as it is."""
    ends = np.cumsum(counts)
    sums = np.add.reduceat(rows, np.concatenate([[0], ends[:-1]]), axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    single = np.asarray(counts)[:, None] == 1
    return np.where(single, sums, sums / np.maximum(lengths, LEAST_LENGTH)).astype(np.float32)
