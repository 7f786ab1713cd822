"""Checkpoints of a training run: one safetensors file with a JSON header, replaced atomically."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import parse_json
from isthmus.base.tensor_files import read_header, read_tensors, write_tensors

ANY_FORMAT = "isthmus-training-"
FORMAT = f"{ANY_FORMAT}2"
REMEDY = "delete this checkpoint to start again"
HASHED_ROWS = 2**16


@dataclass(frozen=True)
class Checkpoint:
    """The file a run is saved to, and the fingerprint of everything that determines the run (config, seed, data)."""

    path: Path
    fingerprint: str

    @classmethod
    def of(cls, path: Path | None, settings: object, data: Iterable[Tensor | np.ndarray | None]) -> Checkpoint | None:
        """The checkpoint of a run with these settings and data; without a path there is none, and nothing is hashed."""
        return None if path is None else cls(path, fingerprint(settings, hash_of(data)))

    def save(self, step: int, objective: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write parameters, running statistics and optimiser state after ``step`` steps.

        Batches, noise and learning rate follow from the seed and the step, so only the step is saved. Raises
        `IsthmusError` naming the file if it cannot be written.
        """
        tensors = {f"objective.{name}": tensor for name, tensor in objective.state_dict().items()}
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
        header = {"format": FORMAT, "step": step, "fingerprint": self.fingerprint}
        header["sha256"] = _hash_of_state(header, tensors)
        write_tensors(self.path, tensors, {"isthmus": json.dumps(header)})

    def restore(self, objective: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """Load the state into objective and optimiser; returns the number of steps made, 0 if there is no file.

        Raises `IsthmusError` if the file is damaged or belongs to another run, or if its folder is not writable.
        """
        if self.path.is_dir():
            raise IsthmusError(f"{self.path}: is a folder: give a file for the checkpoint")
        if not self.path.exists():
            self._require_writable()
            return 0
        header, tensors = _read(self.path)
        if header["fingerprint"] != self.fingerprint:
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
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise IsthmusError(f"{self.path}: not writable ({error.strerror}): give another path") from error


def is_checkpoint(path: Path) -> bool:
    """Whether the file is a checkpoint that `Checkpoint.save` wrote, of this version or an earlier one."""
    try:
        return str(_header(path).get("format", "")).startswith(ANY_FORMAT)
    except IsthmusError:
        return False


def fingerprint(settings: object, data: str) -> str:
    """A short hash of a run's settings (by their ``repr``) and of its data, given as `hash_of` them."""
    return hashlib.sha256(f"{settings!r} {data}".encode()).hexdigest()[:16]


def hash_of(data: Iterable[Tensor | np.ndarray | None]) -> str:
    """SHA-256 of every byte of some arrays, in hexadecimal. Memory-mapped arrays are read in blocks, not copied.

    Example:
        >>> rows = np.zeros((100_000, 2), np.float16)
        >>> before = hash_of([rows])
        >>> rows[77_777, 1] = 1
        >>> hash_of([rows]) == before, hash_of([torch.from_numpy(rows)]) == hash_of([rows])
        (False, True)
    """
    digest = hashlib.sha256()
    for each in data:
        if each is None:
            digest.update(b"none")
            continue
        array = _as_array(each) if isinstance(each, Tensor) else each
        digest.update(f"{array.dtype} {array.shape}".encode())
        rows = array.reshape(1) if array.ndim == 0 else array
        for start in range(0, len(rows), HASHED_ROWS):
            digest.update(np.ascontiguousarray(rows[start : start + HASHED_ROWS]).data)
    return digest.hexdigest()


def _as_array(tensor: Tensor) -> np.ndarray:
    own = tensor.detach().cpu()
    # NumPy has no bfloat16.
    return (own.view(torch.int16) if own.dtype == torch.bfloat16 else own).numpy()


def _hash_of_state(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    own = (header["step"], header["fingerprint"], sorted(tensors))
    return fingerprint(own, hash_of(tensors[name] for name in sorted(tensors)))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    header = _header(path)
    form = str(header.get("format", ""))
    if form != FORMAT:
        raise IsthmusError(
            f"{path}: checkpoint of another version of isthmus: delete it to start again"
            if form.startswith(ANY_FORMAT)
            else f"{path}: not an isthmus checkpoint: give another path"
        )
    tensors, _ = read_tensors(path, REMEDY)
    with reading(path, REMEDY):
        whole = header["sha256"] == _hash_of_state(header, tensors)
    if not whole:
        raise IsthmusError(f"{path}: altered (its hash differs from the one in it): {REMEDY}")
    return header, tensors


def _header(path: Path) -> dict[str, Any]:
    """The facts of a checkpoint; empty for a safetensors file of another kind."""
    text = read_header(path, REMEDY).get("isthmus", "{}")
    with reading(path, REMEDY):
        header = parse_json(text)
        if not isinstance(header, dict):
            raise ValueError("its header is not a mapping")
    return header
