"""All worlds of real vectors: as they are, changed, digits in our own spaces, and those of a user's folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from worlds.digit_draws import digit_worlds, digits
from worlds.own_worlds import own_worlds
from worlds.real import animals, miniclip, real_worlds
from worlds.real_variants import variants
from worlds.real_world import RealWorld


@dataclass(frozen=True)
class Folders:
    """Where vectors lie: the real ones, recordings of digits and the cache of their vectors, and a user's own."""

    real: Path | None = None
    digits: Path | None = None
    cache: Path = Path("digit-vectors")
    own: Sequence[Path] = ()


def every_real_world(folders: Folders, seed: int) -> Iterator[RealWorld]:
    """Every world of the given folders, one draw: all as they are, then one of each family with each change."""
    plain = []
    if folders.real is not None:
        yield from real_worlds(folders.real, seed)
        plain += [miniclip(folders.real, seed), animals(folders.real, seed)]
    if folders.digits is not None:
        yield from digit_worlds(folders.digits, folders.cache, seed)
        plain.append(digits(folders.digits, folders.cache, seed))
    for folder in folders.own:
        yield from own_worlds(folder, seed)
    for world in plain:
        yield from variants(world, seed)
