"""A model's folder: ``config.json``, ``model.safetensors`` and ``README.md`` (the model card). Never pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import load
from torch import Tensor, nn

from isthmus.artifacts.edition import save_edition
from isthmus.artifacts.record import CARD, consistently, read_record, read_stored, record_text, stored
from isthmus.base.errors import interpreting, reading
from isthmus.base.tensor_files import tensor_bytes

CONFIG, WEIGHTS, GRAPH = "config.json", "model.safetensors", "graph.json"
"""The records of a model and of a graph of spaces, whose legs are model folders inside its own; and the weights."""
Model = TypeVar("Model")


@dataclass(frozen=True)
class ModelFiles:
    """What a model's folder is made of: its format, weights by name, config and card."""

    form: str
    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any]
    card: str

    def save(self, folder: Path) -> Path:
        """Write the folder, or replace the model of the same kind in it; the new config decides. Returns the folder."""
        weights = tensor_bytes(self.tensors)
        return save_edition(folder, CONFIG, self._record(weights), {WEIGHTS: weights}, self.card)

    def contents(self) -> dict[str, bytes]:
        """The content of each file of a new folder by name."""
        weights = tensor_bytes(self.tensors)
        config = record_text(self._record(weights), {WEIGHTS: weights}, self.card)
        return {WEIGHTS: weights, CARD: self.card.encode(), CONFIG: config.encode()}

    def _record(self, weights: bytes) -> dict[str, Any]:
        # Version 0.1 reads the hash of the weights here.
        return {"format": self.form, **self.config, "sha256": hashlib.sha256(weights).hexdigest()}


def read_model(
    folder: Path, form: str, kind: str, make: Callable[[Mapping[str, Any], dict[str, Tensor]], Model]
) -> Model:
    """What ``make`` makes of config and weights of a model of this ``kind``.

    Raises `IsthmusError` naming the file that is missing, cut short, altered or not of this kind, or the config if it
    does not describe the weights.
    """

    def read() -> Model:
        config = read_record(folder, CONFIG, form, kind)
        data = read_stored(folder, config, WEIGHTS, kind, str(config.get("sha256")))
        with reading(folder / stored(WEIGHTS, config), f"copy or save the {kind} again"):
            tensors = load(data)
        with interpreting(folder / CONFIG, "damaged", f"copy or save the {kind} again"):
            return make(config, tensors)

    return consistently(folder / CONFIG, read)


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Give a module that was made on the device "meta", where it needs no memory, its tensors; returns the module.

    Raises `ValueError` unless names and shapes are those of the module: a config cannot ask for more memory than the
    weights have.
    """
    own = module.state_dict()
    for name in sorted(own.keys() ^ tensors.keys()):
        raise ValueError(f"the weights have {'no' if name in own else 'another'} {name}")
    for name, tensor in tensors.items():
        if own[name].shape != tensor.shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected {tuple(own[name].shape)}")
    module.load_state_dict(
        {name: tensor.to(own[name].dtype, copy=True) for name, tensor in tensors.items()}, assign=True
    )
    return module
