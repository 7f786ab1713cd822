"""Ids of a listing: each may occur once, over all of its tables and archives."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from isthmus.base.errors import IsthmusError
from isthmus.media.item import as_unicode


class _First(NamedTuple):
    place: Path
    row: int
    own: bool


class Ids:
    """The ids so far, and where each was found first."""

    def __init__(self) -> None:
        self._first: dict[str, _First] = {}

    def is_new(self, name: str, place: Path, row: int, *, own: bool = False) -> bool:
        """Whether an id is new; ``own`` says that it is a text that is its own id, which may occur again.

        Raises `IsthmusError` for any other id that occurs twice, naming both places.
        """
        name = as_unicode(name)
        first = self._first.setdefault(name, _First(place, row, own))
        if first.place is place and first.row == row:
            return True
        if own and first.own:
            return False
        both = (
            f"entries {first.row} and {row}"
            if first.place == place
            else f"entry {row}, and {first.place}, entry {first.row}"
        )
        raise IsthmusError(
            f"the id {name!r} occurs twice ({place}, {both}): ids must be unique, choose another column with "
            "--id-column"
        )
