"""Arrays from ``.npy`` files that anyone may have written: numbers only, and no more than the file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.errors import kind_and_reason, reading

NUMBERS = "biuf"
"""Kinds of dtype that are read: booleans, integers and floating point."""


def map_npy(path: Path, remedy: str) -> np.ndarray:
    """An ``.npy`` file, memory-mapped. Raises `IsthmusError` naming the file and ``remedy`` if it is not whole."""
    with reading(path, remedy):
        with path.open("rb") as file:
            read_npy_header(file, path.stat().st_size)
        return np.load(path, mmap_mode="r", allow_pickle=False)


def read_npy_header(file: Any, size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an ``.npy`` stream of ``size`` bytes: shape, whether in Fortran order, and dtype.

    Raises `ValueError` if it is damaged, the array is not one of numbers, or the stream is too short for it.
    """
    shape, in_columns, dtype = parse_npy_header(file)
    if dtype.kind not in NUMBERS:
        hint = ", save it again as np.stack(list(array))" if dtype.kind == "O" else ""
        raise ValueError(f"has {dtype}, not numbers{hint}")
    promised, left = int(np.prod(shape, dtype=object)) * dtype.itemsize, size - file.tell()
    if min(shape, default=0) < 0 or promised > left:
        raise ValueError(f"truncated: {left} bytes after a header that says shape {shape} of {dtype}")
    return shape, in_columns, dtype


def parse_npy_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The same for an array of any type, not compared with the stream. Raises `ValueError` if it is damaged."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, dtype = read(file)
    except Exception as error:
        # NumPy evaluates the header as a Python literal: a damaged one raises whatever Python's tokenizer does.
        raise ValueError(f"no .npy header ({kind_and_reason(error)})") from error
    return shape, in_columns, dtype
