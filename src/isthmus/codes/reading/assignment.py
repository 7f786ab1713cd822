"""Assignment: the code and the place of every token of some items; saved as arrays and as a Parquet table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from isthmus.artifacts.edition import save_edition
from isthmus.artifacts.record import consistently, read_record, read_stored, stored
from isthmus.base.array_files import read_npy_header
from isthmus.base.errors import IsthmusError, interpreting, reading
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings.checks import check_ids
from isthmus.embeddings.tokens import PLACES, Tokens

FORMAT, KIND = "isthmus-codes-1", "assignment"
ARRAYS = ("codes", "offsets", "places")
RECORD, TABLE = "assignment.json", "codes.parquet"


@dataclass(frozen=True)
class Assignment:
    """The code of every token of some items; item ``i`` has the rows ``offsets[i]`` to ``offsets[i + 1]``.

    Args:
        codes: Code of each token.
        offsets: Where each item's tokens start, and the number of all tokens.
        places: Where each token is: a box in pixels, or start and end in ``unit``.
        ids: Id of each item.
        modality: Modality of the items.
        unit: Unit of ``places``: pixels, seconds or characters.
        size: Number of codes of the model.
    """

    codes: Int[np.ndarray, " tokens"]
    offsets: Int[np.ndarray, " items_and_one"]
    places: Float[np.ndarray, "tokens _"]
    ids: list[str]
    modality: str
    unit: str
    size: int

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, item: str) -> tuple[Int[np.ndarray, " tokens"], Float[np.ndarray, "tokens _"]]:
        """An item's codes in order, and their places."""
        if item not in self.ids:
            raise IsthmusError(f"no {self.modality} item {item!r} in the assignment: ids look like {self.ids[0]!r}")
        row = self.ids.index(item)
        own = slice(self.offsets[row], self.offsets[row + 1])
        return self.codes[own], self.places[own]

    def runs(self, item: str) -> list[str]:
        """An item as text: one line for each run of equal codes, with the code and where the run starts and ends."""
        codes, places = self.of(item)
        first = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        last = np.concatenate([first[1:], [len(codes)]]) - 1
        ends = zip(places[first, 0], places[last, places.shape[1] // 2], strict=True)
        return [f"code {code:4d}  {start:g} to {end:g} {self.unit}"
                for code, (start, end) in zip(codes[first], ends, strict=True)]  # fmt: skip

    def save(self, folder: Path) -> Path:
        """Write ``codes.npy``, ``offsets.npy``, ``places.npy``, ``codes.parquet`` and ``assignment.json``.

        An assignment that the folder has already is replaced: at every moment it can be loaded, the old or the new one.

        Raises:
            IsthmusError: A file cannot be written, or ``assignment.json`` belongs to something else.
        """
        about = {"modality": self.modality, "unit": self.unit, "size": self.size, "ids": self.ids}
        files = {f"{name}.npy": _npy(getattr(self, name)) for name in ARRAYS}
        return save_edition(folder, RECORD, {"format": FORMAT, **about}, {**files, TABLE: self._parquet()})

    @classmethod
    def load(cls, folder: Path) -> Assignment:
        """Read what `save` wrote. Raises `IsthmusError` naming the file that is missing or damaged."""

        def read() -> Assignment:
            about = read_record(folder, RECORD, FORMAT, KIND)
            arrays: dict[str, Any] = {name: _array(folder, about, f"{name}.npy") for name in ARRAYS}
            with interpreting(folder / RECORD, "not a readable assignment", "run isthmus codes assign"):
                found = cls(**arrays, **{name: about[name] for name in ("ids", "modality", "unit", "size")})
                found._check()
            return found

        return consistently(folder / RECORD, read)

    def _check(self) -> None:
        """Raise `ValueError` unless arrays, ids and unit fit together."""
        texts = isinstance(self.ids, list) and all(isinstance(one, str) for one in (*self.ids, self.modality))
        if not texts or self.unit not in PLACES:
            raise ValueError(f"ids or modality are not text, or the unit is {self.unit!r}")
        check_ids(self.ids, len(self.offsets) - 1, "assignment")
        if self.codes.dtype.kind not in "iu" or self.codes.ndim != 1 or self.offsets.dtype.kind not in "iu":
            raise ValueError(f"codes are {self.codes.dtype} {self.codes.shape}, offsets {self.offsets.dtype}")
        if len(self.codes) and not 0 <= self.codes.min() <= self.codes.max() < self.size:
            raise ValueError(f"codes {self.codes.min()} to {self.codes.max()} of {self.size}")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.codes) or (self.offsets[1:] < self.offsets[:-1]).any():
            raise ValueError(f"offsets do not run from 0 to the number of tokens, {len(self.codes)}")
        if self.places.shape != (len(self.codes), len(PLACES[self.unit])):
            raise ValueError(f"places of shape {self.places.shape} for {len(self.codes)} tokens in {self.unit}")

    def _parquet(self) -> bytes:
        import pyarrow
        import pyarrow.parquet

        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(self._table(), sink)
        found: bytes = sink.getvalue().to_pybytes()
        return found

    def _table(self) -> Any:
        import pyarrow

        counts = np.diff(self.offsets)
        columns = {
            "id": np.repeat(np.array(self.ids, dtype=object), counts),
            "position": np.arange(len(self.codes)) - np.repeat(self.offsets[:-1], counts),
            "code": self.codes,
        }
        places = {name: self.places[:, n] for n, name in enumerate(PLACES[self.unit])}
        return pyarrow.table({**columns, **places})


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _array(folder: Path, about: Mapping[str, Any], name: str) -> np.ndarray:
    """An array of the assignment. Raises `IsthmusError` naming the file if it is damaged."""
    data = read_stored(folder, about, name, KIND)
    with reading(folder / stored(name, about), "run isthmus codes assign"):
        read_npy_header(io.BytesIO(data), len(data))
        found: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
        return found


def assign_codes(model: CodeModel, tokens: Tokens, view: str | None = None) -> Assignment:
    """Assign every token of some items to its nearest code.

    Args:
        model: A code model that knows the tokens' modality and space.
        tokens: Tokens of the items.
        view: Name of their view in the model; needed only if several views have the same modality and space.

    Raises:
        IsthmusError: The model has no such view.

    Example:
        >>> from isthmus import CodesConfig
        >>> from isthmus.codes.model.view import View
        >>> model = CodeModel({"audio": View("audio", "clap", dim=2, pooled_dim=2)}, CodesConfig(codes=4, code_dim=2))
        >>> places = np.array([[0, 1], [1, 2], [0, 1]], np.float32)
        >>> tokens = Tokens.from_arrays(
        ...     np.ones((3, 2), np.float32), np.array([0, 2, 3]), places, modality="audio", space="clap", unit="seconds"
        ... )
        >>> assignment = assign_codes(model, tokens)
        >>> len(assignment), assignment.codes.shape, assignment.runs("0")
        (2, (3,), ['code    0  0 to 2 seconds'])
    """
    codes = model.assign(tokens, view)
    return Assignment(
        codes, tokens.offsets, tokens.places, tokens.ids, tokens.modality, tokens.unit, len(model.codebook)
    )
