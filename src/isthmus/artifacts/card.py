"""The model card: the parts that the ``README.md`` of every saved model has in common."""

from __future__ import annotations

from collections.abc import Iterable


def card(title: str, tags: Iterable[str], *blocks: str) -> str:
    """Markdown: the front matter that the hub reads, a title, and blocks with empty lines between them."""
    front = f"---\nlibrary_name: isthmus\nlicense: other\ntags: [{', '.join(tags)}]\n---"
    return "\n\n".join((front, f"# {title}", *blocks)) + "\n"


def bullets(lines: Iterable[str]) -> str:
    """One bullet a line, or ``- not recorded``."""
    return "\n".join(f"- {line}" for line in lines) or "- not recorded"


def usage(*lines: str) -> str:
    """A block of Python code that starts with ``import isthmus``."""
    return "\n".join(("```python", "import isthmus", "", *lines, "```"))
