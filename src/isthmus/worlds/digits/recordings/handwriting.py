"""Handwriting: a bank of digit tiles, and images that place several of them side by side.

An image is 28 × 168 pixels. It is composed by indexing: the bank is kept as pixel columns, and an image is one
column number per place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt8

from isthmus.worlds.digits.concepts import draw_matching

TILE = 28
CANVAS_WIDTH = 168
"""Five tiles and one tile's width of empty space, divided at random among the gaps."""


@dataclass(frozen=True)
class Handwriting:
    """Tiles of single digits, white ink on black, and the digit each shows."""

    tiles: UInt8[np.ndarray, "tiles 28 28"]
    digit: Int[np.ndarray, " tiles"]

    def columns(self) -> UInt8[np.ndarray, "columns 28"]:
        """Every pixel column of every tile, 28 per tile, and one empty column at the end."""
        columns = self.tiles.transpose(0, 2, 1).reshape(-1, TILE)
        return np.concatenate([columns, np.zeros((1, TILE), np.uint8)])


@dataclass(frozen=True)
class ImageLayouts:
    """Which tile is where in each image: bank row and left edge in pixels, -1 after the end of a sequence."""

    tiles: Int[np.ndarray, "n 5"]
    lefts: Int[np.ndarray, "n 5"]

    def __len__(self) -> int:
        return len(self.tiles)

    def __getitem__(self, rows: slice | np.ndarray) -> ImageLayouts:
        return ImageLayouts(self.tiles[rows], self.lefts[rows])

    def column_numbers(self, bank_size: int) -> Int[np.ndarray, "n 168"]:
        """For each place of each image the row of `Handwriting.columns` that belongs there."""
        numbers = np.full((len(self), CANVAS_WIDTH), bank_size * TILE, dtype=np.int64)
        step = np.arange(TILE)
        for tile, left in zip(self.tiles.T, self.lefts.T, strict=True):
            rows = np.flatnonzero(tile >= 0)[:, None]
            numbers[rows, left[rows] + step] = tile[rows] * TILE + step
        return numbers

    def boxes(self, row: int) -> Int[np.ndarray, "digits 4"]:
        """The box of each digit's tile: left, top, right, bottom in pixels, right and bottom exclusive."""
        lefts = self.lefts[row][self.tiles[row] >= 0]
        return np.stack([lefts, np.zeros_like(lefts), lefts + TILE, np.full_like(lefts, TILE)], axis=1)


def draw_images(
    digits: Int[np.ndarray, "n 5"], bank: Handwriting, rows: Int[np.ndarray, " split"], rng: np.random.Generator
) -> ImageLayouts:
    """An image of each sequence: tiles drawn from the given bank rows, gaps at random."""
    tiles = draw_matching(digits, bank.digit, rows, rng)
    present = digits >= 0
    free = CANVAS_WIDTH - TILE * present.sum(1)
    cuts = np.sort(rng.integers(0, free[:, None] + 1, digits.shape), axis=1)
    lefts = np.where(present, cuts + TILE * np.arange(digits.shape[1]), -1)
    return ImageLayouts(tiles, lefts)


def compose_images(layouts: ImageLayouts, bank: Handwriting) -> UInt8[np.ndarray, "n 28 168"]:
    """The images as pixels."""
    return bank.columns()[layouts.column_numbers(len(bank.tiles))].transpose(0, 2, 1)
