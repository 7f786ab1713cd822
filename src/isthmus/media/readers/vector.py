"""Vectors and other numeric arrays in ``.npy`` files, refused if the header promises more than the file holds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.array_files import read_npy_header
from isthmus.media.source import MOST_BYTES, ByteSource, Decoded, UnreadableError, as_source, unreadable

SUFFIXES = (".npy",)
MOST_DIMENSIONS = 2**20


def read_vector(content: ByteSource | Path | str | bytes | np.ndarray) -> Float32[np.ndarray, " dim"]:
    """Read one vector that an encoder made.

    Args:
        content: An ``.npy`` file (its path, bytes or source) or a floating-point array, of shape (dim,), (1, dim) or
            (dim, 1).

    Returns:
        The vector as float32, not normalized.

    Raises:
        UnreadableError: The content is not one finite, non-zero vector.

    Example:
        >>> import numpy as np
        >>> read_vector(np.array([[3.0, 4.0]]))
        array([3., 4.], dtype=float32)
    """
    source = as_source(content)
    with unreadable(source.name):
        found = np.asarray(source.value) if isinstance(source, Decoded) else _from_file(source)
    if found.dtype.kind != "f" or not 0 < found.size <= MOST_DIMENSIONS:
        raise UnreadableError(f"{source.name}: expected a floating-point vector, got {found.dtype} {found.shape}")
    if found.ndim > 2 or found.size != max(found.shape, default=0):
        raise UnreadableError(
            f"{source.name}: expected one vector per item, got shape {found.shape}: average its rows, or use isthmus "
            "convert for an array of many items"
        )
    if not np.isfinite(found).all() or not found.any():
        raise UnreadableError(f"{source.name}: expected a finite, non-zero vector, got {found.dtype} {found.shape}")
    return found.reshape(-1).astype(np.float32)


def _from_file(source: ByteSource) -> np.ndarray:
    with source.open() as file:
        size = file.seek(0, 2)
        file.seek(0)
        return read_npy(source.name, file, size)


def read_npy(name: str, file: Any, size: int) -> np.ndarray:
    """The array in an ``.npy`` stream of ``size`` bytes. Raises `ValueError` unless it holds numbers and is whole."""
    if size > MOST_BYTES:
        raise UnreadableError(f"{name}: {size} bytes, the limit is {MOST_BYTES} bytes")
    shape, in_columns, dtype = read_npy_header(file, size)
    if dtype.kind == "b":
        raise UnreadableError(f"{name}: has {dtype}, not numbers")
    values = np.frombuffer(file.read(math.prod(shape) * dtype.itemsize), dtype=dtype)
    return values.reshape(shape, order="F" if in_columns else "C")
