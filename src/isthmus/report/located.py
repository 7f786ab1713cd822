"""LocatedShown examples: what was asked for, and the item in which it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class LocatedShown:
    """What was asked, and the item with its heat as HTML of `heat_picture` or `heat_sound`."""

    asked: str
    media: str


def located(shown: Sequence[LocatedShown]) -> str:
    """The examples side by side."""
    figures = "".join(f"<figure>{own.media}<figcaption>{escape(own.asked)}</figcaption></figure>" for own in shown)
    return f'<div class="located">{figures}</div>'
