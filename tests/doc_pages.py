"""Code blocks of documentation pages, and what runs them: Python in one namespace, `isthmus` lines as commands.

``python doc_pages.py PAGE`` runs a page in the current folder, in a process of its own.
"""

import re
import shlex
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
SHORTER = {("codes", "train"): ["--restarts", "1", "--optimisation.min-steps", "20"]}
"""Options that keep a command short in tests."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """The arguments of every `isthmus` line of a block; others, such as `pip install`, are left out."""
    return [shlex.split(line, comments=True)[1:] for line in text.splitlines() if line.startswith("isthmus ")]


def run_page(page: Path) -> None:
    """Run a page's blocks in order, as a reader would."""
    from isthmus.cli import main

    names: dict[str, object] = {}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, page.name, "exec"), names)
        elif language in ("bash", ""):
            for arguments in commands(text):
                main([*arguments, *SHORTER.get(tuple(arguments[:2]), [])])


if __name__ == "__main__":
    run_page(Path(sys.argv[1]))
