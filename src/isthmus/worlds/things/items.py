"""Item ids: they describe the item completely, so it can be made again from its id alone.

An image is ``1203984:noto:81723`` (concept number, style, seed), a sentence ``1203984:ada:5567`` (concept number,
voice, seed), a text ``1203984``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.scenes import Scenes, scenes_of

ITEM = re.compile(r"(?P<concept>[0-9]{1,18})(?::(?P<kind>[^:]+):(?P<seed>[0-9]{1,18}))?")


@dataclass(frozen=True)
class Items:
    """Images or sentences: their concepts, the number of each one's style or voice, and its seed."""

    concepts: Int[np.ndarray, " n"]
    kinds: Int[np.ndarray, " n"]
    seeds: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.concepts)

    @property
    def scenes(self) -> Scenes:
        """What the items show or say."""
        return scenes_of(self.concepts)

    def chances(self, count: int) -> Float[np.ndarray, "n count"]:
        """Numbers in 0..1 that determine all that is free in an item, from its seed."""
        rows = [np.random.default_rng(seed).random(count) for seed in self.seeds.tolist()]
        return np.array(rows).reshape(-1, count)

    def ids(self, names: Sequence[str]) -> list[str]:
        """The ids; ``names`` are those of the styles or voices."""
        rows = zip(self.concepts.tolist(), self.kinds.tolist(), self.seeds.tolist(), strict=True)
        return [f"{concept}:{names[kind]}:{seed}" for concept, kind, seed in rows]


def parsed(ids: Sequence[str], names: Sequence[str], what: str) -> Items:
    """The items with these ids.

    Args:
        ids: Ids of images or of sentences.
        names: The styles or voices there are.
        what: "image" or "audio", for the message.

    Raises:
        IsthmusError: An id belongs to another world, to a text, or names an unknown style or voice.
    """
    number = {name: place for place, name in enumerate(names)}
    rows = []
    for item in ids:
        match = ITEM.fullmatch(item)
        if match is None or match["kind"] not in number:
            raise IsthmusError(f"item {item!r} is not {what} of this things world: pass an id of its {what} embeddings")
        rows.append((int(match["concept"]), number[match["kind"]], int(match["seed"])))
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Items(*table.T)


def concepts_of(ids: Sequence[str]) -> Int[np.ndarray, " n"]:
    """The concept numbers of any items: images, sentences or texts."""
    found = [ITEM.fullmatch(item) for item in ids]
    for item, match in zip(ids, found, strict=True):
        if match is None:
            raise IsthmusError(f"item {item!r} does not belong to the things world: pass an id of its embeddings")
    return np.array([int(match["concept"]) for match in found if match], dtype=np.int64)


def text_ids(concepts: Int[np.ndarray, " n"]) -> list[str]:
    """The concept numbers as ids."""
    return [str(concept) for concept in concepts.tolist()]
