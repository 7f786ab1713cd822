"""Tables of figures as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal


@dataclass(frozen=True)
class Row:
    """A labelled row. Reference rows are in italics and never marked as best; ``note`` is a second, smaller line."""

    label: str
    cells: tuple[float | str | None, ...]
    kind: Literal["plain", "reference"] = "plain"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """``columns`` are the headings of the cells, ``corner`` that of the labels; ``marked`` is the cell to emphasise."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimals: int = 1
    marked: Literal["highest", "none"] = "highest"


def table(content: Table) -> str:
    """The table as HTML; a missing cell is a dash.

    Example:
        >>> from isthmus.report import Row, Table, table
        >>> html = table(Table("method", ("R@1",), (Row("CCA", (81.25,)), Row("chain", (40.0,)))))
        >>> '<td class="best">81.2</td>' in html
        True
    """
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
