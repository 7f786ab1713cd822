"""The main figure of a task as bars, measured and published, with intervals: a drawing in SVG for the page."""

from __future__ import annotations

from html import escape

from isthmus.evaluate.comparison import DAGGER, NOT_COMPARABLE, OURS, OURS_MARKED, Compared, ComparedRow

LABELS, WIDTH, HEIGHT = 260, 640, 22
"""Pixels: of the labels, of the longest bar, and of one row."""
COLOURS = {OURS: "#0f766e", OURS_MARKED: "#99b8b4"}
OTHERS = "#b6bfce"


def bars(table: Compared) -> str:
    """The rows that have the main figure as bars on one scale; empty if fewer than two have it.

    Example:
        >>> row = ComparedRow("C-MCR", {"r1": 2.0}, {"r1": (1.0, 3.0)}, OURS, "")
        >>> drawing = bars(Compared("vggss", "Find a clip", ("r1",), (row, row), ()))
        >>> drawing.count("<rect"), drawing.count("<line")
        (2, 2)
    """
    name = table.metrics[0] if table.metrics else ""
    rows = [row for row in table.rows if name in row.figures]
    if len(rows) < 2:
        return ""
    longest = max(row.intervals.get(name, (0.0, row.figures[name]))[1] for row in rows) or 1.0
    drawn = "".join(_bar(row, name, place, WIDTH / max(longest, max(row.figures[name] for row in rows)))
                    for place, row in enumerate(rows))  # fmt: skip
    size = f'width="{LABELS + WIDTH + 80}" height="{HEIGHT * len(rows)}"'
    return f'<svg role="img" aria-label="{escape(name)}" {size} font-size="13">{drawn}</svg>'


def _bar(row: ComparedRow, name: str, place: int, scale: float) -> str:
    """A label, a bar, its value and, of measured figures, the interval as a line through its end."""
    value, top = row.figures[name], HEIGHT * place
    end = LABELS + value * scale
    parts = [
        f'<text x="{LABELS - 8}" y="{top + 15}" text-anchor="end">{escape(_short(row.model))}</text>',
        f'<rect x="{LABELS}" y="{top + 4}" width="{value * scale:.1f}" height="{HEIGHT - 8}" '
        f'fill="{COLOURS.get(row.kind, OTHERS)}"/>',
    ]
    if name in row.intervals:
        low, high = (LABELS + side * scale for side in row.intervals[name])
        parts.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{top + HEIGHT // 2}" y2="{top + HEIGHT // 2}" '
            'stroke="#1d2433" stroke-width="2"/>'
        )
        end = max(end, high)
    mark = DAGGER if row.kind in NOT_COMPARABLE else ""
    return "".join([*parts, f'<text x="{end + 6:.1f}" y="{top + 15}">{value:.2f}{mark}</text>'])


def _short(label: str) -> str:
    """A label that fits beside its bar."""
    return label if len(label) <= 38 else f"{label[:37]}…"
