"""Chains: an item, what it leads to, and what that leads to, with arrows between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Link:
    """One item of a chain: its media as HTML or "", its caption, and a smaller note."""

    media: str
    caption: str
    note: str = ""


def chains(heads: Sequence[str], shown: Sequence[Sequence[Link]]) -> str:
    """The chains as HTML, one a row, below the headings of their places.

    Example:
        >>> from isthmus.report import Link, chains
        >>> html = chains(["text", "found"], [[Link("", "a dog"), Link("<img>", "cat.png", "0.2")]])
        >>> "<figcaption>a dog</figcaption>" in html, html.count("<li>")
        (True, 4)
    """
    named = "".join(f"<li>{escape(head)}</li>" for head in heads)
    rows = "".join(f"<ol>{''.join(map(_link, chain))}</ol>" for chain in shown)
    return f'<div class="chains"><ol class="heads">{named}</ol>{rows}</div>'


def _link(own: Link) -> str:
    note = f"<small>{escape(own.note)}</small>" if own.note else ""
    return f"<li><figure>{own.media}<figcaption>{escape(own.caption)}{note}</figcaption></figure></li>"
