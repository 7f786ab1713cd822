"""What every set must fulfil: checked where rows come in, named by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.errors import IsthmusError

ZERO_NORM = 1e-12


def check_rows(vectors: np.ndarray, where: str) -> None:
    """Raise `IsthmusError` unless rows are a finite float matrix without zero rows; ``where`` names their origin."""
    if vectors.ndim != 2:
        raise IsthmusError(f"{where}: shape {vectors.shape} is not (rows, dimensions): one vector a row is needed")
    if vectors.dtype.kind != "f":
        raise IsthmusError(f"{where}: dtype {vectors.dtype} is not floating point: convert with .astype('float32')")
    if vectors.shape[1] == 0:
        raise IsthmusError(f"{where}: vectors have no dimensions: embed the items again")
    sums = vectors.astype(np.float32).sum(1)
    if not np.isfinite(sums).all():
        bad = np.flatnonzero(~np.isfinite(vectors.astype(np.float32)).all(1))
        if len(bad):
            raise IsthmusError(f"{where}: row {bad[0]} holds NaN or infinity ({len(bad)} such rows): drop them")
    norms = np.linalg.norm(vectors.astype(np.float32), axis=1)
    zero = np.flatnonzero(norms < ZERO_NORM)
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
