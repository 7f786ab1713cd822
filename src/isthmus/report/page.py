"""The page: sections of HTML fragments in one file without external references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from isthmus.base.atomic import write_text_atomically


@dataclass(frozen=True)
class Section:
    """A heading, a short explanation, and fragments of HTML."""

    title: str
    explanation: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """``lead`` summarises the page in a sentence or two; ``facts`` are the headline figures: (value, label)."""

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def render(page: Page) -> str:
    """The page as HTML.

    Example:
        >>> from isthmus.report import Page, Section, bullets, render
        >>> html = render(Page("Title", "Lead", (("82 %", "R@1"),), (Section("One", "Why", (bullets(["a & b"]),)),)))
        >>> "<li><b>82 %</b><span>R@1</span></li>" in html, "<li>a &amp; b</li>" in html
        (True, True)
    """
    style = (files("isthmus.report") / "page.css").read_text()
    facts = "".join(f"<li><b>{escape(value)}</b><span>{escape(label)}</span></li>" for value, label in page.facts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(page.title)}</title><style>{style}</style></head><body>"
        f'<header><h1>{escape(page.title)}</h1><p>{escape(page.lead)}</p><ul class="facts">{facts}</ul></header>'
        f"<main>{''.join(map(_section, page.sections))}</main></body></html>\n"
    )


def write_page(page: Page, path: Path) -> Path:
    """Write the page to a file atomically, and return the path."""
    write_text_atomically(path, render(page))
    return path


def bullets(lines: Sequence[str]) -> str:
    """Plain lines as an HTML list."""
    return '<ul class="lines">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def steps(lines: Sequence[str]) -> str:
    """Plain lines as a numbered HTML list."""
    return '<ol class="steps">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ol>"


def screen(lines: Sequence[str]) -> str:
    """Lines of text as a terminal shows them."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _section(section: Section) -> str:
    head = f"<h2>{escape(section.title)}</h2><p>{escape(section.explanation)}</p>"
    return f"<section>{head}{''.join(section.parts)}</section>"
