"""What every set must fulfil: checked where rows come in, named by row."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from isthmus.base.errors import IsthmusError

SAFE_SQUARE = 1e-20
"""Squared lengths from here to float32's largest are exact enough to divide by; other rows are first brought to 1."""
MODALITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def unit_rows(vectors: np.ndarray, where: str) -> np.ndarray:
    """Rows divided by their length, float32, in two passes over them. Raises as `check_rows`."""
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
    """Raise `IsthmusError` unless a modality's name can be part of a file's name."""
    if not isinstance(modality, str) or not MODALITY.fullmatch(modality):
        raise IsthmusError(f"modality {modality!r}: a name of letters, digits, '_' and '-' is needed, like 'image'")


def check_rows(vectors: np.ndarray, where: str) -> None:
    """Raise `IsthmusError` unless rows are a finite float matrix without zero rows; ``where`` names their origin."""
    if vectors.ndim != 2:
        raise IsthmusError(f"{where}: shape {vectors.shape} is not (rows, dimensions): one vector a row is needed")
    if vectors.dtype.kind != "f":
        raise IsthmusError(f"{where}: dtype {vectors.dtype} is not floating point: convert with .astype('float32')")
    if vectors.shape[1] == 0:
        raise IsthmusError(f"{where}: vectors have no dimensions: embed the items again")
    largest = np.abs(vectors).max(1, initial=0)
    bad = np.flatnonzero(~np.isfinite(largest))
    if len(bad):
        raise IsthmusError(f"{where}: row {bad[0]} holds NaN or infinity ({len(bad)} such rows): drop them")
    zero = np.flatnonzero(largest == 0)
    if len(zero):
        raise IsthmusError(
            f"{where}: row {zero[0]} is zero ({len(zero)} such rows): a zero vector has no direction, drop it"
        )


def check_ids(ids: Sequence[str], rows: int, where: str) -> None:
    """Raise `IsthmusError` unless there is one id a row and none twice."""
    if len(ids) != rows:
        raise IsthmusError(f"{where}: {len(ids)} ids for {rows} rows: give one id a row")
    if len(set(ids)) != rows:
        seen: set[str] = set()
        for row, name in enumerate(ids):
            if name in seen:
                raise IsthmusError(f"{where}: id {name!r} is there twice (again in row {row}): ids must be unique")
            seen.add(name)
