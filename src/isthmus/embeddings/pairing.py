"""Pairing: what must agree before rows of two sets are taken for the same items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from isthmus.base.errors import IsthmusError


@runtime_checkable
class Identified(Protocol):
    """Rows with ids, of one modality and space: `Embeddings` or `Tokens`."""

    @property
    def modality(self) -> str:
        """What the rows are."""

    @property
    def space(self) -> str:
        """Name of their space."""

    @property
    def ids(self) -> Sequence[str]:
        """One id per row."""

    @property
    def numbered(self) -> bool:
        """Whether the ids are only row numbers."""

    def __len__(self) -> int:
        """Number of rows."""


def require_ids(*sets: Identified) -> None:
    """Raise `IsthmusError` if rows have no ids: equal row numbers of two sets do not show that the rows are equal."""
    for own in sets:
        if own.numbered:
            raise IsthmusError(
                f"the {len(own)} {own.modality} rows of space {own.space!r} have no ids, only row numbers, which pair "
                "nothing: give ids (if row i is the same item everywhere: ids=range(n), or isthmus convert --row-ids)"
            )


def require_same_items(one: Identified, other: Identified) -> None:
    """Raise `IsthmusError` unless two sets are of one space, and `require_same_rows`."""
    if one.space != other.space:
        raise IsthmusError(
            f"{one!r} and {other!r} are not of the same items: the space is {one.space!r} and {other.space!r}, use one"
        )
    require_same_rows(one, other)


def require_same_rows(one: Identified, other: Identified) -> None:
    """Raise `IsthmusError` unless two sets are of one modality, and have the same ids in the same order.

    Two sets without ids correspond row by row, since whoever calls this has put them together as the same items.
    """
    if one.modality != other.modality:
        raise IsthmusError(
            f"{one!r} and {other!r} are not of the same items: the modality is {one.modality!r} and "
            f"{other.modality!r}, use one"
        )
    require_same_ids(one.ids, other.ids, f"{one!r} and {other!r}")
    if one.numbered != other.numbered:
        given, numbered = (other, one) if one.numbered else (one, other)
        raise IsthmusError(f"{given!r} has ids, {numbered!r} only row numbers: give both the same ids")


def require_same_ids(one: Sequence[str], other: Sequence[str], what: str) -> None:
    """Raise `IsthmusError` unless ids are the same in the same order; ``what`` names the two that have them."""
    if len(one) != len(other):
        raise IsthmusError(
            f"{what} are not of the same items: {len(one)} and {len(other)} of them, pass the same items in the same "
            "order"
        )
    differing = next((row for row, (mine, theirs) in enumerate(zip(one, other, strict=True)) if mine != theirs), None)
    if differing is not None:
        raise IsthmusError(
            f"{what} are not of the same items: row {differing} is {one[differing]!r} and {other[differing]!r}, pass "
            "the same items in the same order"
        )
