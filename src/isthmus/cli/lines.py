"""Results as lines: on the terminal, or in a file."""

import sys
from collections.abc import Iterable
from pathlib import Path

from isthmus.base.atomic import write_text_atomically


def write_lines(lines: Iterable[str], what: str, out: Path | None) -> None:
    """Print the lines, or write them to ``out`` and print where they are."""
    if out is None:
        sys.stdout.writelines(line + "\n" for line in lines)
    else:
        write_text_atomically(out, "".join(line + "\n" for line in lines))
        print(f"{what}: {out}")
