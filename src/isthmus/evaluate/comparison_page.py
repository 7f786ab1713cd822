"""The comparison as Markdown, HTML or LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.evaluate.comparison import DAGGER, MARKED, NOT_COMPARABLE, OURS, OURS_MARKED, Compared, ComparedRow
from isthmus.evaluate.comparison_plot import bars

MEASURED = (OURS, OURS_MARKED)
LEGEND = (
    f"Percent, with 95 % bootstrap intervals over queries. {DAGGER}: not comparable, by another protocol or on less "
    "than 90 % of the items, which is easier."
)
LATEX = {"\\": r"\textbackslash{}", "†": r"\textdagger{}", "→": r"$\to$", "×": r"$\times$", "–": "--", "≥": r"$\geq$"}
LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


def write_comparison(tables: Sequence[Compared], path: Path) -> Path:
    """Write the tables to a ``.md``, ``.html`` or ``.tex`` file, by its suffix; returns the path.

    Raises `IsthmusError` for another suffix.
    """
    if path.suffix.lower() not in FORMATS:
        raise IsthmusError(
            f"{path}: cannot be written as {path.suffix or 'a file without suffix'}: name it .md, .html or .tex"
        )
    write_text_atomically(path, FORMATS[path.suffix.lower()](tables))
    return path


def as_markdown(tables: Sequence[Compared]) -> str:
    """The tables as Markdown.

    Example:
        >>> row = ComparedRow("C-MCR", {"r1": 1.94}, {}, "published", "papers")
        >>> print(as_markdown([Compared("vggss", "Find a sound", ("r1",), (row,), ())]).split("## ")[1])
        vggss
        <BLANKLINE>
        Find a sound
        <BLANKLINE>
        | model | r1 | |
        |---|---|---|
        | C-MCR (published) | 1.94 | papers |
        <BLANKLINE>
    """
    parts = ["# Results beside published figures", LEGEND]
    for table in tables:
        lines = [f"| model | {' | '.join(table.metrics)} | |", "|---" * (len(table.metrics) + 2) + "|"]
        for row in table.rows:
            cells = [_label(row), *(_cell(row, name) for name in table.metrics), row.note]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        parts += [f"## {table.name}", table.title, "\n".join(lines), *(f"- {note}" for note in table.notes)]
    return "\n\n".join(parts) + "\n"


def as_html(tables: Sequence[Compared]) -> str:
    """The tables as a page of their own."""
    parts = [f"<p>{escape(LEGEND)}</p>"]
    for table in tables:
        heads = "".join(f"<th>{escape(name)}</th>" for name in ("model", *table.metrics, ""))
        rows = "".join(_html_row(row, table.metrics) for row in table.rows)
        notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
        parts.append(
            f"<h2>{escape(table.name)}</h2><p>{escape(table.title)}</p>{bars(table)}"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><ul>{notes}</ul>"
        )
    return PAGE.format(body="\n".join(parts))


def as_latex(tables: Sequence[Compared]) -> str:
    """The tables as LaTeX with booktabs, one ``table`` each."""
    parts = [r"% \usepackage{booktabs}"]
    for table in tables:
        rows = [
            " & ".join([_tex(_label(row)), *(_tex(_cell(row, name)) for name in table.metrics)]) for row in table.rows
        ]
        notes = " ".join(f"{_label(row)}: {row.note}." for row in table.rows if row.kind in MEASURED)
        parts.append(
            "\\begin{table}\n\\centering\n"
            f"\\caption{{{_tex(f'{table.name}: {table.title}. {LEGEND} {notes}')}}}\n"
            f"\\begin{{tabular}}{{l{'r' * len(table.metrics)}}}\n\\toprule\n"
            f"{' & '.join(['model', *map(_tex, table.metrics)])} \\\\\n\\midrule\n"
            + "".join(f"{row} \\\\\n" for row in rows)
            + "\\bottomrule\n\\end{tabular}\n\\end{table}"
        )
    return "\n\n".join(parts) + "\n"


FORMATS: dict[str, Callable[[Sequence[Compared]], str]] = {".md": as_markdown, ".html": as_html, ".tex": as_latex}
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Results beside published figures</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1d2433 }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .25rem .75rem; border-bottom: 1px solid #d9dee8; text-align: left }}
tr.measured th {{ font-weight: 700 }} tr.published, tr.marked {{ color: #5a6478 }} tr.marked {{ font-style: italic }}
small {{ display: block; color: #5a6478 }}
</style>
<h1>Results beside published figures</h1>
{body}
</html>
"""


def _html_row(row: ComparedRow, metrics: Sequence[str]) -> str:
    kind = {OURS: "measured", OURS_MARKED: "measured marked", MARKED: "marked"}.get(row.kind, "published")
    cells = "".join(
        f"<td>{escape(_value(row, name))}<small>{escape(_interval(row, name))}</small></td>" for name in metrics
    )
    return f'<tr class="{kind}"><th>{escape(_label(row))}</th>{cells}<td><small>{escape(row.note)}</small></td></tr>'


def _label(row: ComparedRow) -> str:
    mark = DAGGER if row.kind in NOT_COMPARABLE else ""
    return f"{row.model}{mark}" if row.kind in MEASURED else f"{row.model} (published{mark})"


def _value(row: ComparedRow, name: str) -> str:
    value = row.figures.get(name)
    mark = DAGGER if row.kind in NOT_COMPARABLE and value is not None else ""
    return "–" if value is None else f"{value:.2f}{mark}"


def _interval(row: ComparedRow, name: str) -> str:
    interval = row.intervals.get(name)
    return "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"


def _cell(row: ComparedRow, name: str) -> str:
    interval = _interval(row, name)
    return _value(row, name) + (f" ({interval})" if interval else "")


def _tex(text: str) -> str:
    return "".join(LATEX.get(sign, sign) for sign in text)
