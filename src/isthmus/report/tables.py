"""Tables: rows of figures, as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal


@dataclass(frozen=True)
class Row:
    """A labelled row. A reference row is drawn apart and never marked as the best; ``note`` stands small below."""

    label: str
    cells: tuple[float | str | None, ...]
    kind: Literal["plain", "reference"] = "plain"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """``columns`` name the cells; the first column's heading is ``corner``. ``marked``: what stands out in a column."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimals: int = 1
    marked: Literal["highest", "none"] = "highest"


def table(content: Table) -> str:
    """The table as HTML."""
    best = [_best(content, column) for column in range(len(content.columns))]
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in (content.corner, *content.columns))
    rows = "".join(_row(row, best, content.decimals) for row in content.rows)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _best(content: Table, column: int) -> float | None:
    if content.marked == "none":
        return None
    values = [row.cells[column] for row in content.rows if row.kind == "plain"]
    numbers = [value for value in values if isinstance(value, int | float)]
    return max(numbers) if len(numbers) > 1 else None


def _row(row: Row, best: list[float | None], decimals: int) -> str:
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    cells = "".join(
        _cell(value, marked=row.kind == "plain" and top is not None and value == top, decimals=decimals)
        for value, top in zip(row.cells, best, strict=True)
    )
    return f'<tr class="{row.kind}"><th scope="row">{escape(row.label)}{note}</th>{cells}</tr>'


def _cell(value: float | str | None, *, marked: bool, decimals: int) -> str:
    match value:
        case None:
            return "<td>–</td>"
        case str():
            return f"<td>{escape(value)}</td>"
        case _:
            kind = ' class="best"' if marked else ""
            return f"<td{kind}>{value:.{decimals}f}</td>"
