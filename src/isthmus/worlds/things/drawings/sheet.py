"""A sheet: the drawings of one style in a grid, 20 a row, in the order of things; a missing one leaves a gap."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from isthmus.worlds.things.drawings.framing import SIZE

COLUMNS = 20


def laid_out(cells: UInt8[np.ndarray, "things 64 64 4"]) -> UInt8[np.ndarray, "height width 4"]:
    """One image of all cells."""
    rows = -(-len(cells) // COLUMNS)
    grid = np.zeros((rows * COLUMNS, *cells.shape[1:]), np.uint8)
    grid[: len(cells)] = cells
    return grid.reshape(rows, COLUMNS, SIZE, SIZE, 4).swapaxes(1, 2).reshape(rows * SIZE, COLUMNS * SIZE, 4)


def cut_up(sheet: UInt8[np.ndarray, "height width 4"], count: int) -> UInt8[np.ndarray, "things 64 64 4"]:
    """The first cells of a sheet."""
    rows = len(sheet) // SIZE
    grid = sheet.reshape(rows, SIZE, COLUMNS, SIZE, 4).swapaxes(1, 2)
    return grid.reshape(rows * COLUMNS, SIZE, SIZE, 4)[:count]
