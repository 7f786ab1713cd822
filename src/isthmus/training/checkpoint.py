"""Checkpoints of a training run: one safetensors file with a JSON header, replaced atomically."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import IsthmusError

FORMAT = "isthmus-training-1"


@dataclass(frozen=True)
class Checkpoint:
    """The file a run is saved to, and the fingerprint of everything that determines the run (config, seed, data)."""

    path: Path
    fingerprint: str

    def save(self, step: int, objective: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write parameters, running statistics and optimiser state after ``step`` steps.

        Batches, noise and learning rate follow from the seed and the step, so only the step is saved.
        """
        tensors = {f"objective.{name}": tensor for name, tensor in objective.state_dict().items()}
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
        header = {"format": FORMAT, "step": step, "fingerprint": self.fingerprint}
        with atomic_path(self.path) as part:
            save_file(
                {name: _storable(tensor) for name, tensor in tensors.items()}, part, {"isthmus": json.dumps(header)}
            )

    def restore(self, objective: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """Load the state into objective and optimiser; returns the number of steps made, 0 if there is no file.

        Raises `IsthmusError` if the file is damaged or belongs to another run, or if its folder is not writable.
        """
        if self.path.is_dir():
            raise IsthmusError(f"{self.path}: is a folder: give a file for the checkpoint")
        if not self.path.exists():
            self._require_writable()
            return 0
        header, tensors = self._read()
        if header.get("fingerprint") != self.fingerprint:
            raise IsthmusError(
                f"{self.path}: checkpoint of another run (config, seed or data differ): delete it or give another path"
            )
        own = {n.removeprefix("objective."): t for n, t in tensors.items() if n.startswith("objective.")}
        objective.load_state_dict(own)
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, number, key = name.split(".", 2)
                state.setdefault(int(number), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        return int(header["step"])

    def _require_writable(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            probe = self.path.with_name(f".{self.path.name}.probe")
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise IsthmusError(f"{self.path}: not writable ({error.strerror}): give another path") from error

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("isthmus", "{}"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, json.JSONDecodeError) as error:
            raise IsthmusError(f"{self.path}: damaged checkpoint ({error}): delete it to start again") from error
        if header.get("format") != FORMAT:
            raise IsthmusError(f"{self.path}: not an isthmus checkpoint: give another path")
        return header, tensors


def fingerprint(settings: str, tensors: list[Tensor]) -> str:
    """A short hash of a run's settings and data (shapes, and at least 256 evenly spaced rows of each tensor)."""
    digest = hashlib.sha256(settings.encode())
    for tensor in tensors:
        digest.update(str(tuple(tensor.shape)).encode())
        rows = tensor.reshape(1) if tensor.ndim == 0 else tensor
        stride = max(1, len(rows) // 256)
        digest.update(rows[::stride].float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _storable(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous().clone()
