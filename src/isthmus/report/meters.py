"""Meters: bands on a scale from 0 to 1, bars and histograms, drawn by the page itself, so that they suit any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Span:
    """A band from ``low`` to ``high`` with its ``middle``, in [0, 1]; a point if they are equal."""

    label: str
    low: float
    middle: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of a length that is at most 1, and the figure at its end."""

    label: str
    length: float
    figure: str
    kind: str = "plain"


def scale(spans: Sequence[Span], zones: Sequence[tuple[str, float, float]]) -> str:
    """Bands on a scale from 0 to 1, above named zones (name, start, end).

    Example:
        >>> from isthmus.report import Span, scale
        >>> 'style="left:20.0%;width:50.0%"' in scale([Span("image-audio", 0.2, 0.5, 0.7)], [("poor", 0.0, 0.2)])
        True
    """
    named = "".join(
        f'<span style="left:{100 * start:.1f}%;width:{100 * (end - start):.1f}%">{escape(name)}</span>'
        for name, start, end in zones
    )
    ends = "".join(f'<span style="left:{100 * at:.1f}%">{at:g}</span>' for at in _edges(zones))
    rows = "".join(map(_span, spans))
    return f'<div class="scale"><div class="zones">{named}</div>{rows}<div class="ends">{ends}</div></div>'


def bars(shown: Sequence[Bar]) -> str:
    """Bars, one below the other."""
    rows = "".join(
        f'<li class="{escape(own.kind)}"><span>{escape(own.label)}</span><div class="track">'
        f'<i style="width:{100 * min(1.0, max(0.0, own.length)):.1f}%"></i></div><b>{escape(own.figure)}</b></li>'
        for own in shown
    )
    return f'<ul class="bars">{rows}</ul>'


def histogram(counts: Sequence[int], title: str, what: str) -> str:
    """Counts in equal parts of [0, 1] as columns; the lower half is emphasised. ``what`` is counted, for its label."""
    most, parts = max(1, *counts), len(counts)
    columns = "".join(
        f'<i class="{"low" if 2 * place < parts else "high"}" style="height:{100 * count / most:.1f}%" '
        f'title="{place / parts:.2f} to {(place + 1) / parts:.2f}: {count} {escape(what)}"></i>'
        for place, count in enumerate(counts)
    )
    listed = ", ".join(map(str, counts))
    return (
        f'<figure class="histogram"><figcaption>{escape(title)}</figcaption>'
        f'<div class="columns" role="img" aria-label="{escape(what)} in parts of 0 to 1: {listed}">{columns}</div>'
        '<div class="ends"><span style="left:0%">0</span><span style="left:50%">0.5</span>'
        '<span style="left:100%">1</span></div></figure>'
    )


def _span(own: Span) -> str:
    width = max(0.4, 100 * (own.high - own.low))
    note = f"<small>{escape(own.note)}</small>" if own.note else ""
    return (
        f'<div class="span"><p>{escape(own.label)}{note}</p><div class="track">'
        f'<i style="left:{100 * own.low:.1f}%;width:{width:.1f}%"></i>'
        f'<b style="left:{100 * own.middle:.1f}%"></b></div></div>'
    )


def _edges(zones: Sequence[tuple[str, float, float]]) -> list[float]:
    return sorted({0.0, 1.0, *(edge for _, *edges in zones for edge in edges)})
