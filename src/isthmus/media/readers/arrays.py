"""NumPy arrays in files: read only where their header promises no more than is there."""

from __future__ import annotations

from typing import Any

import numpy as np

from isthmus.media.unreadable import UnreadableError

MOST_BYTES = 2**30
"""Arrays and files of more bytes are refused."""


def read_npy(name: str, file: Any, size: int) -> np.ndarray:
    """The array of numbers in an ``.npy`` stream of ``size`` bytes. Raises `UnreadableError` where it is none."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, column_major, dtype = read_header(file)
    count = int(np.prod(shape, dtype=object))
    if dtype.hasobject or dtype.kind not in "fiu" or count * dtype.itemsize > min(size, MOST_BYTES):
        raise UnreadableError(f"{name}: {dtype} of shape {shape} in {size} bytes: no array of numbers, or cut short")
    values = np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype)
    return values.reshape(shape, order="F" if column_major else "C")
