"""Sources without a pair of the two unshared modalities: how image and audio come to share codes through their texts.

Three bridges, each optional: every space's own items with their texts (by id, or retrieved where ids differ), the texts
of both spaces (by id), and the connector's pseudo pairs in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.objective import CodeItems
from isthmus.codes.learning.pairs import PairSource, nearest_pairs, pairs_by_id
from isthmus.connectors.connector import Connector

Side = Mapping[str, CodeItems]
"""One space's modalities."""


@dataclass(frozen=True)
class LinkedItems:
    """What codes are learned from without pairs: the views of both spaces by name, and what links them."""

    items: Mapping[str, CodeItems]
    sources: Sequence[PairSource]


def link_without_pairs(
    left: Side, right: Side, *, overlap: str = "text", connector: Connector | None = None
) -> LinkedItems:
    """Views and pair sources of two spaces that share one modality; with a connector, its pseudo pairs too.

    Raises `IsthmusError` where a side has no tokens of the overlap and there is no connector, or has nothing else.
    """
    names = view_names(left, right)
    items = {names[side][modality]: own for side, views in enumerate((left, right)) for modality, own in views.items()}
    sources: list[PairSource] = []
    for side, views in enumerate((left, right)):
        for modality, own in views.items():
            if modality != overlap and overlap in views:
                sources.append(_captions((names[side][modality], own), (names[side][overlap], views[overlap])))
    if overlap in left and overlap in right:
        first, second = ((names[side][overlap], views[overlap].tokens) for side, views in enumerate((left, right)))
        sources.append(pairs_by_id(first, second, kind="overlap"))
    if connector is not None:
        sources += _pseudo(left, right, overlap, names, connector)
    if not sources:
        raise IsthmusError(f"nothing links the two sides: give {overlap} tokens on both, or a connector")
    return LinkedItems(items, sources)


def link_by_id(items: Side, *, name: str = "the set") -> LinkedItems:
    """Link every two views of one set by the ids they share: those are true pairs.

    Args:
        items: The items of each modality.
        name: What an error calls the set.

    Raises:
        IsthmusError: No two modalities share an id.
    """
    found = []
    for left, right in combinations(items, 2):
        if set(items[left].tokens.ids) & set(items[right].tokens.ids):
            found.append(pairs_by_id((left, items[left].tokens), (right, items[right].tokens)))
    if not found:
        raise IsthmusError(
            f"{name}: no two of its modalities with tokens ({', '.join(items)}) share ids: give items that belong "
            "together the same id, or add a second set that shares a modality"
        )
    return LinkedItems(items, found)


def view_names(left: Side, right: Side) -> tuple[dict[str, str], dict[str, str]]:
    """What each side's modalities are called: by modality, and by space too where both sides have it."""
    both = set(left) & set(right)

    def name(modality: str, own: CodeItems) -> str:
        return f"{modality} of {own.tokens.space}".replace(".", "_") if modality in both else modality

    first, second = ({modality: name(modality, own) for modality, own in side.items()} for side in (left, right))
    twice = set(first.values()) & set(second.values())
    if twice:
        raise IsthmusError(f"both sides hold {min(twice)}: give the two spaces names of their own")
    return first, second


def _captions(item: tuple[str, CodeItems], text: tuple[str, CodeItems]) -> PairSource:
    """A space's own pairs by id; where no id is shared, each item with the text its own space finds nearest."""
    if set(item[1].tokens.ids) & set(text[1].tokens.ids):
        return pairs_by_id((item[0], item[1].tokens), (text[0], text[1].tokens), kind="own")
    return nearest_pairs((item[0], item[1].pooled), (text[0], text[1].pooled), kind="retrieved")


def _pseudo(
    left: Side, right: Side, overlap: str, names: Sequence[Mapping[str, str]], connector: Connector
) -> list[PairSource]:
    found = []
    for modality, own in left.items():
        for other, theirs in right.items():
            if overlap not in (modality, other):
                mine = names[0][modality], connector.project(own.pooled)
                others = names[1][other], connector.project(theirs.pooled)
                found += [nearest_pairs(mine, others), nearest_pairs(others, mine)]
    return found
