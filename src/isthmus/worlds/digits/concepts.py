"""Concepts: sequences of 3 to 5 digits, their numbers, their splits, and which of them are drawn.

A sequence is a row of five digits padded with -1. Its concept number is the decimal number 1 followed by its
digits ("007" is 1007), so leading zeros count.
"""

from __future__ import annotations

import zlib

import numpy as np
from jaxtyping import Float, Int

MAX_LENGTH = 5
LENGTH_SHARES = {3: 0.05, 4: 0.25, 5: 0.70}
"""How often each length is drawn: short sequences far more often than their share of all (1, 9 and 90 %)."""
SPLITS = ("train", "dev", "test")
HELD_OUT = 0.10
"""Share of the sequences in each of dev and test."""
HARD_SHARE = 0.75
"""Share of a hard gallery's items that differ from another of its items by one digit or one swap."""
MISSES_EACH = 2
"""Near misses per sequence that has any in a hard gallery."""


def random_stream(seed: int, role: str) -> np.random.Generator:
    """An independent random stream per role, so changing how much one role draws leaves the others unchanged."""
    return np.random.default_rng([seed, zlib.crc32(role.encode())])


def all_concepts() -> Int[np.ndarray, " concepts"]:
    """The numbers of all 111 000 sequences, in increasing order."""
    return np.concatenate([np.arange(10**n, 2 * 10**n, dtype=np.int64) for n in LENGTH_SHARES])


def digits_of(concepts: Int[np.ndarray, " n"]) -> Int[np.ndarray, "n 5"]:
    """The digits of each sequence in order, -1 after its end."""
    digits = np.full((len(concepts), MAX_LENGTH), -1, dtype=np.int64)
    for length in LENGTH_SHARES:
        rows = (concepts >= 10**length) & (concepts < 2 * 10**length)
        for position in range(length):
            digits[rows, position] = concepts[rows] // 10 ** (length - 1 - position) % 10
    return digits


def concepts_of(digits: Int[np.ndarray, "n 5"]) -> Int[np.ndarray, " n"]:
    """The inverse of `digits_of`."""
    concepts = np.ones(len(digits), dtype=np.int64)
    for column in digits.T:
        concepts = np.where(column >= 0, concepts * 10 + column, concepts)
    return concepts


def split_concepts(seed: int) -> dict[str, Int[np.ndarray, " _"]]:
    """All sequences as train (80 %), dev and test (10 % each).

    Sequences made of the same digits fall into one split: training never sees a reordering of a test sequence,
    and a test gallery may hold any reordering of its sequences.
    """
    concepts = all_concepts()
    contents = np.sort(digits_of(concepts), axis=1)
    _, group = np.unique(contents, axis=0, return_inverse=True)
    group = group.reshape(-1)
    rank = np.random.default_rng([seed, 1]).permutation(group.max() + 1)[group] / (group.max() + 1)
    bounds = {"dev": (0.0, HELD_OUT), "test": (HELD_OUT, 2 * HELD_OUT), "train": (2 * HELD_OUT, 1.0)}
    return {name: concepts[(rank >= bounds[name][0]) & (rank < bounds[name][1])] for name in SPLITS}


def length_weights(concepts: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The probability of each of these sequences if lengths are distributed as in `LENGTH_SHARES`."""
    lengths = (digits_of(concepts) >= 0).sum(1)
    weights = np.zeros(len(concepts))
    for length, share in LENGTH_SHARES.items():
        rows = lengths == length
        weights[rows] = share / max(rows.sum(), 1)
    return weights / weights.sum()


def draw_distinct(concepts: Int[np.ndarray, " n"], count: int, rng: np.random.Generator) -> Int[np.ndarray, " count"]:
    """Distinct sequences, with lengths as in `LENGTH_SHARES` as far as there are enough."""
    return rng.choice(concepts, size=count, replace=False, p=length_weights(concepts))


def draw_repeatedly(concepts: Int[np.ndarray, " n"], count: int, rng: np.random.Generator) -> Int[np.ndarray, " count"]:
    """As `draw_distinct`, starting over whenever the sequences run out."""
    rounds = [draw_distinct(concepts, min(count, len(concepts)), rng) for _ in range(-(-count // len(concepts)))]
    return np.concatenate([np.empty(0, np.int64), *rounds])[:count]


def draw_hard(
    concepts: Int[np.ndarray, " concepts"], count: int, rng: np.random.Generator
) -> Int[np.ndarray, " count"]:
    """Distinct sequences, three quarters of them in families: a sequence and two of its near misses.

    Near misses that are not among ``concepts``, or are in the gallery already, are drawn again.
    """
    families = round(count * HARD_SHARE / (1 + MISSES_EACH))
    chosen = draw_distinct(concepts, count - MISSES_EACH * families, rng)
    heads = chosen[:families]
    while len(chosen) < count:
        misses = np.unique(near_misses(rng.permutation(heads), rng))
        new = rng.permutation(misses[np.isin(misses, concepts) & ~np.isin(misses, chosen)])
        chosen = np.concatenate([chosen, new[: count - len(chosen)]])
    return rng.permutation(chosen)


def near_misses(concepts: Int[np.ndarray, " n"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """For each sequence one that differs by a single digit or, as often, by a swap of two adjacent digits.

    A swap of equal digits changes nothing; those rows get a changed digit instead.
    """
    digits = digits_of(concepts)
    rows, lengths = np.arange(len(digits)), (digits >= 0).sum(1)
    swapped = digits.copy()
    first = rng.integers(0, lengths - 1)
    swapped[rows, first], swapped[rows, first + 1] = digits[rows, first + 1], digits[rows, first]
    edited = digits.copy()
    place = rng.integers(0, lengths)
    edited[rows, place] = (digits[rows, place] + rng.integers(1, 10, len(digits))) % 10
    swap = (rng.random(len(digits)) < 0.5) & (swapped != digits).any(1)
    return concepts_of(np.where(swap[:, None], swapped, edited))


def draw_matching(
    digits: Int[np.ndarray, "n 5"],
    digit_of_row: Int[np.ndarray, " bank"],
    rows: Int[np.ndarray, " split"],
    rng: np.random.Generator,
) -> Int[np.ndarray, "n 5"]:
    """For each digit one of the given bank rows that holds this digit; -1 stays -1."""
    drawn = np.full(digits.shape, -1, dtype=np.int64)
    for digit in range(10):
        places = digits == digit
        candidates = rows[digit_of_row[rows] == digit]
        if places.any():
            drawn[places] = rng.choice(candidates, size=int(places.sum()))
    return drawn
