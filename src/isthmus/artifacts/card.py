"""The model card: what the ``README.md`` of every saved model has in common."""

from __future__ import annotations

from collections.abc import Iterable


def card(title: str, tags: Iterable[str], *blocks: str) -> str:
    """Markdown with the front matter that the hub reads, a title, and blocks set apart by empty lines."""
    front = f"---\nlibrary_name: isthmus\nlicense: other\ntags: [{', '.join(tags)}]\n---"
    return "\n\n".join((front, f"# {title}", *blocks)) + "\n"


def bullets(lines: Iterable[str]) -> str:
    """One bullet a line, or ``- not recorded``."""
    return "\n".join(f"- {line}" for line in lines) or "- not recorded"


def usage(*lines: str) -> str:
    """A block of Python that begins with importing isthmus."""
    return "\n".join(("```python", "import isthmus", "", *lines, "```"))
