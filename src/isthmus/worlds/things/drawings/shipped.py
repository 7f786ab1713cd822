"""The drawings that ship with the package (scripts/make_things_drawings.py), in five styles."""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from isthmus.base.errors import IsthmusError, reading
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.drawings.framing import cleared
from isthmus.worlds.things.drawings.sheet import cut_up
from isthmus.worlds.things.things import thing_names

ASSETS = Path(__file__).parent / "assets"
INDEX = "drawings.json"
UNSEEN_STYLE = "twemoji"
"""Held out: no tower is trained on it, and its galleries are those of an unseen style."""


@cache
def shipped_drawings() -> Drawings:
    """All drawings of the package, read once per process.

    Raises:
        IsthmusError: A file of the package was altered.

    Example:
        >>> from isthmus.worlds.things.drawings.shipped import shipped_drawings
        >>> shipped_drawings().styles
        ('fluent-3d', 'fluent-flat', 'noto', 'emojione', 'twemoji')
    """
    return read_sheets(ASSETS)


def read_sheets(folder: Path) -> Drawings:
    """The drawings of a folder of sheets with their index.

    Raises:
        IsthmusError: The index does not list the things of this world, or a sheet differs from what it says.
    """
    with reading(folder / INDEX, "reinstall isthmus"):
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["things"] != list(thing_names()):
            raise ValueError("its things are not those of things.tsv")
        parts = [_style(folder / entry["file"], entry) for entry in index["styles"]]
    numbers = [thing for _, thing in parts]
    return Drawings(
        tuple(entry["name"] for entry in index["styles"]),
        np.concatenate([pixels for pixels, _ in parts]),
        np.concatenate(numbers),
        np.repeat(np.arange(len(parts)), [len(thing) for thing in numbers]),
    )


def _style(sheet: Path, entry: dict[str, Any]) -> tuple[UInt8[np.ndarray, "n 64 64 4"], np.ndarray]:
    """The drawings of one sheet and the numbers of the things they show."""
    with reading(sheet, "reinstall isthmus"):
        content = sheet.read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise IsthmusError(f"{sheet}: altered (sha256 differs from {INDEX}): reinstall isthmus")
        pixels = np.asarray(Image.open(io.BytesIO(content), formats=("WEBP",)).convert("RGBA"))
    names = thing_names()
    drawn = np.array([number for number, name in enumerate(names) if name not in set(entry["lacks"])], np.int64)
    return cleared(cut_up(pixels, len(names))[drawn]), drawn
