"""The code table as HTML: what each code stands for, how well in each modality, and pieces to be seen and heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class CodeShown:
    """A code, its name, its figures by modality (precision, share of the modality's tokens), and media as HTML."""

    code: int
    name: str
    f1: float | None
    figures: Mapping[str, tuple[float, float]]
    pieces: Mapping[str, Sequence[str]]


def code_rows(shown: Sequence[CodeShown]) -> str:
    """The table."""
    modalities, media = list(shown[0].figures), list(shown[0].pieces)
    names = ["code", "stands for", "F1, spoken", *(f"{name}: precision, use" for name in modalities), *media]
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = "".join(map(_row, shown))
    return (
        f'<div class="scroll"><table class="codes"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(shown: CodeShown) -> str:
    f1 = "–" if shown.f1 is None else f"{shown.f1:.2f}"
    figures = "".join(f"<td>{_figures(*own)}</td>" for own in shown.figures.values())
    pieces = "".join(f'<td class="pieces">{"".join(own) or "–"}</td>' for own in shown.pieces.values())
    return (
        f'<tr><th scope="row">{shown.code}</th><td><b>{escape(shown.name)}</b></td><td>{f1}</td>{figures}{pieces}</tr>'
    )


def _figures(precision: float, use: float) -> str:
    return "–" if use == 0 else f"{precision:.2f} <small>{100 * use:.1f} %</small>"
