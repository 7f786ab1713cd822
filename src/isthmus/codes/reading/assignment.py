"""Assignment: the code and the place of every token of some items; saved as arrays and as a Parquet table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.atomic import atomic_path, write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings.tokens import PLACES, Tokens

FORMAT = "isthmus-codes-1"
ARRAYS = ("codes", "offsets", "places")


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
        """Write ``codes.npy``, ``offsets.npy``, ``places.npy``, ``codes.parquet`` and ``assignment.json``."""
        import pyarrow.parquet

        for name in ARRAYS:
            with atomic_path(folder / f"{name}.npy") as part, part.open("wb") as file:
                np.save(file, getattr(self, name))
        with atomic_path(folder / "codes.parquet") as part:
            pyarrow.parquet.write_table(self._table(), part)
        about = {"modality": self.modality, "unit": self.unit, "size": self.size, "ids": self.ids}
        write_text_atomically(folder / "assignment.json", json.dumps({"format": FORMAT, **about}) + "\n")
        return folder

    @classmethod
    def load(cls, folder: Path) -> Assignment:
        """Read what `save` wrote. Raises `IsthmusError` naming the file that is missing or damaged."""
        try:
            about = json.loads((folder / "assignment.json").read_text())
            if about.pop("format") != FORMAT:
                raise ValueError(f"format is not {FORMAT!r}")
            arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
            return cls(**arrays, **about)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IsthmusError(f"{folder}: not a readable assignment ({error}): run isthmus codes assign") from error

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
