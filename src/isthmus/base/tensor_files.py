"""Tensors in safetensors files, with the strings of their header: written atomically, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import reading


def tensor_bytes(tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file, with the strings of ``header``; no two tensors share memory in it."""
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return save(copies, None if header is None else dict(header))


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> None:
    """Write the tensors and the strings of ``header``. Raises `IsthmusError` naming the file if that fails."""
    content = tensor_bytes(tensors, header)
    with atomic_path(path) as part:
        part.write_bytes(content)


def read_tensors(path: Path, remedy: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name, and the header. Raises `IsthmusError` naming the file and ``remedy`` if it is damaged."""
    with reading(path, remedy), safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def read_header(path: Path, remedy: str) -> dict[str, str]:
    """Only the header; raises as `read_tensors`."""
    with reading(path, remedy), safe_open(path, framework="pt") as file:
        return file.metadata() or {}
