"""Journal: what was computed of each sample, on disk line by line, so that a killed run continues there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from isthmus.base.atomic import make_folder


class Journal:
    """Values by key in a file to which lines are appended; a last line that was cut off is ignored.

    Args:
        path: The file; made if it does not exist.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
        >>> with Journal(path).writing() as write:
        ...     write("a", 0.5)
        >>> Journal(path).known
        {'a': 0.5}
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Any] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    key, value = json.loads(line)
                except ValueError:  # a run was killed while it wrote this line
                    continue
                self.known[key] = value

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A function that records a value under a key, at once."""
        make_folder(self.path.parent)
        cut = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            if cut:
                file.write("\n")

            def write(key: str, value: Any) -> None:
                self.known[key] = value
                _append(file, [key, value])

            yield write


def _append(file: TextIO, content: Any) -> None:
    file.write(json.dumps(content) + "\n")
    file.flush()
