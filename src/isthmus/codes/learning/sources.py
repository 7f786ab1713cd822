"""Pair sources from ids, texts and a connector.

Three kinds of pairs link two spaces that have no pair of their unshared modalities, each optional: the items of a space
with their own texts (by id, or the nearest text if no ids match), the texts of both spaces (by id), and neighbour pairs
in the connector's joint space, in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.pairs import CodeItems, PairSource, neighbour_pairs, pairs_by_id
from isthmus.connectors.connector import Connector
from isthmus.embeddings.pairing import require_ids

Side = Mapping[str, CodeItems]
"""One space's items by modality."""


@dataclass(frozen=True)
class LinkedItems:
    """Arguments of `fit_codes`: ``items`` of every view by its name, and ``sources`` of pairs that link the views."""

    items: Mapping[str, CodeItems]
    sources: Sequence[PairSource]


def link_without_pairs(
    left: Side, right: Side, *, overlap: str = "text", connector: Connector | None = None
) -> LinkedItems:
    """Link the items of two spaces that share one modality, without a pair of their other modalities.

    Args:
        left: Items of one space by modality.
        right: Items of the other space by modality.
        overlap: The modality both spaces have.
        connector: A connector of the two spaces; neighbour pairs in its joint space are added to the sources.

    Returns:
        Items by view name (the modality, with the space's name if both sides have the modality), and pair sources.

    Raises:
        IsthmusError: Nothing links the two sides, or both spaces have the same name.

    Example:
        >>> import numpy as np
        >>> from isthmus import CodeItems, Embeddings, Tokens
        >>> def items(modality, space, *ids):
        ...     rows, places, ends = np.eye(len(ids), 4), np.zeros((len(ids), 2)), np.arange(len(ids) + 1)
        ...     kind = {"modality": modality, "space": space, "ids": ids}
        ...     tokens = Tokens.from_arrays(rows.astype("f4"), ends, places.astype("f4"), unit="seconds", **kind)
        ...     return CodeItems(tokens, Embeddings.from_array(rows.astype("f4"), **kind))
        >>> clip = {"video": items("video", "clip", "a", "b"), "text": items("text", "clip", "a", "b", "c")}
        >>> clap = {"audio": items("audio", "clap", "d"), "text": items("text", "clap", "c", "d")}
        >>> for source in link_without_pairs(clip, clap).sources:
        ...     print(source)
        2 own pairs of video and text of clip
        1 own pairs of audio and text of clap
        1 overlap pairs of text of clip and text of clap
    """
    names = view_names(left, right)
    items = {names[side][modality]: own for side, views in enumerate((left, right)) for modality, own in views.items()}
    sources: list[PairSource] = []
    for side, views in enumerate((left, right)):
        for modality, own in views.items():
            if modality != overlap and overlap in views:
                sources.append(_caption_pairs((names[side][modality], own), (names[side][overlap], views[overlap])))
    if overlap in left and overlap in right:
        first, second = ((names[side][overlap], views[overlap].tokens) for side, views in enumerate((left, right)))
        sources.append(pairs_by_id(first, second, kind="overlap"))
    if connector is not None:
        sources += _joint_neighbour_pairs(left, right, overlap, names, connector)
    if not sources:
        raise IsthmusError(f"nothing links the two sides: give both {overlap} tokens, or pass a connector")
    return LinkedItems(items, sources)


def link_by_id(items: Side, *, name: str = "the set") -> LinkedItems:
    """Link every two modalities of one set by the ids they share, as true pairs.

    Args:
        items: Items by modality.
        name: Name of the set in error messages.

    Returns:
        The items as given, and a pair source for every two modalities that share ids.

    Raises:
        IsthmusError: No two modalities share an id, or a modality has no ids, only row numbers.
    """
    found = []
    require_ids(*(own.tokens for own in items.values()))
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
    """The view name of each side's modalities: the modality, and the space's name too if both sides have it."""
    both = set(left) & set(right)

    def name(modality: str, own: CodeItems) -> str:
        return f"{modality} of {own.tokens.space}".replace(".", "_") if modality in both else modality

    first, second = ({modality: name(modality, own) for modality, own in side.items()} for side in (left, right))
    twice = set(first.values()) & set(second.values())
    if twice:
        raise IsthmusError(f"both sides have {min(twice)}: give the two spaces different names")
    return first, second


def _caption_pairs(item: tuple[str, CodeItems], text: tuple[str, CodeItems]) -> PairSource:
    """A space's own pairs by id; if no id is shared, each item with the nearest text in its own space."""
    numbered = item[1].tokens.numbered or text[1].tokens.numbered
    if not numbered and set(item[1].tokens.ids) & set(text[1].tokens.ids):
        return pairs_by_id((item[0], item[1].tokens), (text[0], text[1].tokens), kind="own")
    return neighbour_pairs((item[0], item[1].pooled), (text[0], text[1].pooled))


def _joint_neighbour_pairs(
    left: Side, right: Side, overlap: str, names: Sequence[Mapping[str, str]], connector: Connector
) -> list[PairSource]:
    found = []
    for modality, own in left.items():
        for other, theirs in right.items():
            if overlap not in (modality, other):
                mine = names[0][modality], connector.project(own.pooled)
                others = names[1][other], connector.project(theirs.pooled)
                found += [neighbour_pairs(mine, others), neighbour_pairs(others, mine)]
    return found
