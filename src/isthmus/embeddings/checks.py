"""Checks on rows, ids and names, made wherever they enter a set; errors name the row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError

SAFE_SQUARE = 1e-20
"""Squared lengths from here to float32's maximum are exact enough to divide by; other rows are rescaled first."""
RowNumbers = Sequence[int] | np.ndarray
"""What rows are called in messages, if they are only a part of something."""
MODALITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def unit_rows(vectors: np.ndarray, where: str, numbers: RowNumbers | None = None) -> np.ndarray:
    """Rows divided by their length, as float32, in two passes. Raises like `check_rows`."""
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or vectors.shape[1] == 0:
        check_rows(vectors, where, numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = vectors.astype(np.float32)
        squares = np.einsum("ij,ij->i", rows, rows)
    if np.isfinite(squares).all() and squares.min(initial=1) > SAFE_SQUARE:
        rows *= (1 / np.sqrt(squares))[:, None]
        return rows
    check_rows(vectors, where, numbers)
    scaled = (vectors / np.abs(vectors).max(1, keepdims=True)).astype(np.float32)
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)


def as_matrix(vectors: np.ndarray, where: str) -> np.ndarray:
    """What users give as an array, also a column of a table. Raises `IsthmusError` for masked rows and non-arrays."""
    if isinstance(vectors, np.ma.MaskedArray) and np.ma.is_masked(vectors):
        row = np.argwhere(np.ma.getmaskarray(vectors))[0, 0]
        raise IsthmusError(f"{where}: row {row} is masked: leave such rows out, or fill them")
    try:
        rows = np.asarray(vectors)
        # A column of a table is an array of arrays.
        return np.stack(list(rows)) if rows.dtype == object and rows.ndim == 1 and len(rows) else rows
    except (ValueError, TypeError, RuntimeError) as error:
        raise IsthmusError(
            f"{where}: not an array of numbers ({error}): pass a NumPy array, one vector per row"
        ) from error


def check_modality(modality: str) -> None:
    """Raise `IsthmusError` unless a modality's name can be part of a file name."""
    if not isinstance(modality, str) or not MODALITY.fullmatch(modality):
        raise IsthmusError(f"modality {modality!r}: use letters, digits, '_' and '-' only, like 'image'")


def check_rows(vectors: np.ndarray, where: str, numbers: RowNumbers | None = None) -> None:
    """Raise `IsthmusError` unless rows are a finite float matrix without zero rows.

    ``where`` names their origin, ``numbers`` their row numbers there; by default they are numbered from 0.
    """
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
        raise IsthmusError(
            f"{where}: row {_number(bad, numbers)} contains NaN or infinity ({_rows_like_it(bad)}): remove it"
        )
    zero = np.flatnonzero(largest == 0)
    if len(zero):
        raise IsthmusError(
            f"{where}: row {_number(zero, numbers)} is zero and has no direction ({_rows_like_it(zero)}): remove it"
        )


def as_ids(given: Iterable[Any], where: str, first: int = 0, *, blanks: bool = False) -> list[str]:
    """Ids as a list of strings, one per row: text as it is, integers and paths spelled out, bytes decoded.

    Raises `IsthmusError` naming the row, counted from ``first``, for anything else, such as a missing value, and for
    text that cannot be stored. So is empty text, unless ``blanks``.
    """
    if isinstance(given, str | bytes | Mapping | set | frozenset):
        raise IsthmusError(f"{where}: ids are one {type(given).__name__}: pass a list of ids, one per row")
    found = given.tolist() if hasattr(given, "tolist") else list(given)
    if not isinstance(found, list):
        raise IsthmusError(f"{where}: ids are one {type(found).__name__}: pass a list of ids, one per row")
    return ["" if blanks and value == "" else _as_id(value, row, where) for row, value in enumerate(found, first)]


def _as_id(value: Any, row: int, where: str) -> str:
    if type(value) is str and value.isascii() and value:
        return value
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise IsthmusError(
                f"{where}: the id of row {row}, {value!r}, is not UTF-8 text: decode it first"
            ) from error
    if (isinstance(value, int | np.integer) and not isinstance(value, bool)) or isinstance(value, PurePath):
        value = str(value)
    if not isinstance(value, str):
        raise IsthmusError(
            f"{where}: the id of row {row} is {value!r}, a {type(value).__name__}: give every row a text or an integer"
        )
    if not value:
        raise IsthmusError(f"{where}: the id of row {row} is empty: give every row a text or an integer")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise IsthmusError(
                f"{where}: the id of row {row}, {value!a}, is not valid Unicode: escape or replace its bytes"
            ) from error
    return str(value)


def check_ids(ids: Sequence[str], rows: int, where: str, numbers: RowNumbers | None = None) -> None:
    """Raise `IsthmusError` unless there is one id per row and no duplicate; ``numbers`` as in `check_rows`."""
    if len(ids) != rows:
        raise IsthmusError(f"{where}: {len(ids)} ids for {rows} rows: pass one id per row")
    if len(set(ids)) != rows:
        seen: set[str] = set()
        for row, name in enumerate(ids):
            if name in seen:
                shown = _number(np.array([row]), numbers)
                raise IsthmusError(f"{where}: duplicate id {name!r} in row {shown}: ids must be unique")
            seen.add(name)


def check_columns(
    metadata: Sequence[Mapping[str, object]], ids: Sequence[str], where: str, first: int, known: Mapping[str, str]
) -> dict[str, str]:
    """The kind of values in each column of metadata, those of ``known`` columns included.

    Raises `IsthmusError` naming the row, counted from ``first``, if a column has values of two kinds, if there is not
    one mapping per row, or if one gives its row another id.
    """
    if len(metadata) != len(ids):
        raise IsthmusError(f"{where}: metadata of {len(metadata)} rows for {len(ids)} rows: pass one mapping per row")
    kinds = dict(known)
    for row, (name, columns) in enumerate(zip(ids, metadata, strict=True), first):
        if columns.get("id", name) != name:
            raise IsthmusError(
                f"{where}: the metadata of row {row} has the id {columns['id']!r}, but its id is {name!r}: leave it out"
            )
        for column, value in columns.items():
            kind = _kind_of(value)
            if kind and kinds.setdefault(column, kind) != kind:
                raise IsthmusError(
                    f"{where}: column {column!r} of the metadata has {kinds[column]} in rows before row {row}, which "
                    f"has {kind}: give it one type"
                )
    return kinds


def _kind_of(value: object) -> str:
    """What Parquet would make of a value; "" for a missing one, which fits any column."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true or false"
    if isinstance(value, int | float | np.number):
        return "numbers"
    return {"str": "text", "tuple": "list"}.get(type(value).__name__, type(value).__name__)


def checked_rows(index: Any, rows: int, what: str) -> np.ndarray:
    """Row numbers, from distinct row numbers or a mask of all ``rows``, as int64; ``what`` has the rows.

    Raises `IsthmusError` if a number is out of range or repeated.
    """
    found = np.asarray(index)
    if found.dtype == bool and found.shape == (rows,):
        found = np.flatnonzero(found)
    if found.ndim != 1 or (found.dtype.kind not in "iu" and len(found)):
        raise IsthmusError(f"expected a list of row numbers, got {found.dtype} of shape {found.shape}")
    outside = found[(found < 0) | (found >= rows)]
    if len(outside):
        raise IsthmusError(f"no row {outside[0]} in {what}: rows are numbered 0 to {rows - 1}")
    found = found.astype(np.int64)
    distinct, counts = np.unique(found, return_counts=True)
    if len(distinct) < len(found):
        raise IsthmusError(f"row {distinct[counts > 1][0]} of {what} is asked for twice: take every row once")
    return found


def row_numbers(rows: int) -> list[str]:
    """What rows without given ids are called: "0" to "n-1"."""
    return [str(row) for row in range(rows)]


def _number(bad: np.ndarray, numbers: RowNumbers | None) -> int:
    """The number of the first bad row."""
    return int(bad[0]) if numbers is None else int(numbers[int(bad[0])])


def _rows_like_it(rows: np.ndarray) -> str:
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} in all"
