"""Tensors in safetensors files, with the strings of their header: written atomically, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import reading, reason_of


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> None:
    """Write the tensors, each as a copy of its own, with the strings of ``header``."""
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with atomic_path(path) as part:
        try:
            save_file(copies, part, None if header is None else dict(header))
        except SafetensorError as error:
            raise OSError(reason_of(error)) from error


def read_tensors(path: Path, remedy: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name, and the header. Raises `IsthmusError` naming the file and ``remedy`` if it is damaged."""
    with reading(path, remedy), safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
