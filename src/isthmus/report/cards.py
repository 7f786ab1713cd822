"""Cards of codes: what each stands for, pieces of images and audio that have it, and how well it is shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class CodeCard:
    """One code.

    Args:
        code: Its number.
        name: What it stands for.
        f1: How well it agrees with that in each modality, from 0 to 1; None for a modality that does not use the code.
        pieces: Pieces of images and audio that have it, as HTML from `image_html` and `audio_html`, by medium.
    """

    code: int
    name: str
    f1: Mapping[str, float | None]
    pieces: Mapping[str, Sequence[str]]


def code_cards(cards: Sequence[CodeCard]) -> str:
    """The cards as HTML, as many in a row as there is room for.

    Example:
        >>> from isthmus.report import CodeCard, code_cards
        >>> html = code_cards([CodeCard(7, "dog", {"image": 0.914, "audio": None}, {"image": ["<img>"]})])
        >>> "image 91" in html, "audio –" in html
        (True, True)
    """
    return f'<div class="cards">{"".join(map(_card, cards))}</div>'


def _card(card: CodeCard) -> str:
    pieces = "".join(
        f'<div class="{escape(medium)}">{"".join(own)}</div>' for medium, own in card.pieces.items() if own
    )
    figures = " · ".join(f"<span>{escape(name)} {_percent(value)}</span>" for name, value in card.f1.items())
    head = f"<h3>{escape(card.name)} <small>code {card.code}</small></h3>"
    return f"<article>{head}{pieces}<small>{figures}</small></article>"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"
