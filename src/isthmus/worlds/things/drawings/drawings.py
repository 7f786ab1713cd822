"""Drawings: things drawn in one or more styles, as pixels with transparency."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, UInt8

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.things import thing_names


@dataclass(frozen=True)
class Drawings:
    """Drawings of single things, at most one of each thing in each style.

    ``pixels`` are red, green, blue and alpha; colours are not multiplied by alpha, and are zero where alpha is.
    ``thing`` is each drawing's number in `things`, ``style`` its place in ``styles``.
    """

    styles: tuple[str, ...]
    pixels: UInt8[np.ndarray, "n 64 64 4"]
    thing: Int[np.ndarray, " n"]
    style: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.thing)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that depend on every pixel, thing and style."""
        digest = hashlib.sha256("\n".join(self.styles).encode())
        for array in (self.pixels, self.thing.astype("<i8"), self.style.astype("<i8")):
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the things that no style draws."""
        drawn = set(self.thing.tolist())
        return tuple(name for number, name in enumerate(thing_names()) if number not in drawn)

    def of_styles(self, names: Iterable[str]) -> Drawings:
        """The drawings in some styles only.

        Args:
            names: Styles of these drawings, each once; the result has them in this order.

        Raises:
            IsthmusError: A style is not among them.
        """
        wanted = tuple(names)
        unknown = next((name for name in wanted if name not in self.styles), None)
        if unknown is not None:
            raise IsthmusError(f"no drawings in the style {unknown!r}: choose among {', '.join(self.styles)}")
        parts = [np.flatnonzero(self.style == self.styles.index(name)) for name in wanted]
        rows = np.concatenate([np.zeros(0, np.int64), *parts])
        style = np.repeat(np.arange(len(wanted)), [len(part) for part in parts])
        return Drawings(wanted, self.pixels[rows], self.thing[rows], style)
