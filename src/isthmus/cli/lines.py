"""Results as lines: printed, or in a file."""

import sys
from collections.abc import Iterable
from pathlib import Path

from isthmus.base.atomic import write_text_atomically


def write_lines(lines: Iterable[str], what: str, out: Path | None) -> None:
    """Print the lines, or write them to ``out`` and print its path."""
    text = (line + "\n" for line in lines)
    if out is None:
        sys.stdout.writelines(text)
    else:
        write_text_atomically(out, "".join(text))
        print(f"{what}: {out}")
