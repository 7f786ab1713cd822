"""Checks on rows, ids and names, made wherever they enter a set; errors name the row."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from isthmus.base.errors import IsthmusError

SAFE_SQUARE = 1e-20
"""Squared lengths from here to float32's maximum are exact enough to divide by; other rows are rescaled first."""
MODALITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def unit_rows(vectors: np.ndarray, where: str) -> np.ndarray:
    """Rows divided by their length, as float32, in two passes. Raises like `check_rows`."""
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or vectors.shape[1] == 0:
        check_rows(vectors, where)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = vectors.astype(np.float32)
        squares = np.einsum("ij,ij->i", rows, rows)
    if np.isfinite(squares).all() and squares.min(initial=1) > SAFE_SQUARE:
        rows *= (1 / np.sqrt(squares))[:, None]
        return rows
    check_rows(vectors, where)
    scaled = (vectors / np.abs(vectors).max(1, keepdims=True)).astype(np.float32)
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)


def check_modality(modality: str) -> None:
    """Raise `IsthmusError` unless a modality's name can be part of a file name."""
    if not isinstance(modality, str) or not MODALITY.fullmatch(modality):
        raise IsthmusError(f"modality {modality!r}: use letters, digits, '_' and '-' only, like 'image'")


def check_rows(vectors: np.ndarray, where: str) -> None:
    """Raise `IsthmusError` unless rows are a finite float matrix without zero rows; ``where`` names their origin."""
    if vectors.ndim != 2:
        raise IsthmusError(f"{where}: expected shape (rows, dimensions), got {vectors.shape}: pass one vector per row")
    if vectors.dtype.kind != "f":
        raise IsthmusError(
            f"{where}: expected floating-point numbers, got {vectors.dtype}: convert with .astype('float32')"
        )
    if vectors.shape[1] == 0:
        raise IsthmusError(f"{where}: vectors have no dimensions: embed the items again")
    largest = np.abs(vectors).max(1, initial=0)
    bad = np.flatnonzero(~np.isfinite(largest))
    if len(bad):
        raise IsthmusError(f"{where}: row {bad[0]} contains NaN or infinity ({_rows_like_it(bad)}): remove it")
    zero = np.flatnonzero(largest == 0)
    if len(zero):
        raise IsthmusError(f"{where}: row {zero[0]} is zero and has no direction ({_rows_like_it(zero)}): remove it")


def check_ids(ids: Sequence[str], rows: int, where: str) -> None:
    """Raise `IsthmusError` unless there is one id per row and no duplicate."""
    if len(ids) != rows:
        raise IsthmusError(f"{where}: {len(ids)} ids for {rows} rows: pass one id per row")
    if len(set(ids)) != rows:
        seen: set[str] = set()
        for row, name in enumerate(ids):
            if name in seen:
                raise IsthmusError(f"{where}: duplicate id {name!r} in row {row}: ids must be unique")
            seen.add(name)


def _rows_like_it(rows: np.ndarray) -> str:
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} in all"
