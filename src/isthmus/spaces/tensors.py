"""Tensors: the inputs of an encoder moved to its device, and its outputs as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from isthmus.spaces.protocol import EncoderInputs, Weights


def on_device(inputs: EncoderInputs, weights: Weights) -> dict[str, Tensor]:
    """The model's inputs as tensors; floating-point ones in the model's precision."""
    tensors = {}
    for name, value in inputs.items():
        if not name.startswith("_"):
            tensor = torch.from_numpy(np.ascontiguousarray(value)).to(weights.device, non_blocking=True)
            tensors[name] = tensor.to(getattr(torch, weights.precision)) if tensor.is_floating_point() else tensor
    return tensors


def features(model: Any, modality: str, inputs: dict[str, Tensor]) -> Float32[np.ndarray, "rows dim"]:
    """The unit rows of a transformers model's ``get_<modality>_features``."""
    return unit_rows_of(getattr(model, f"get_{modality}_features")(**inputs).pooler_output)


def unit_rows_of(rows: Tensor) -> Float32[np.ndarray, "rows dim"]:
    """A model's output as float32 unit rows."""
    return torch.nn.functional.normalize(rows.float(), dim=-1).cpu().numpy()


def as_array(rows: Tensor) -> Float32[np.ndarray, ...]:
    """A model's output as float32."""
    return rows.float().cpu().numpy()
