"""The folder of a table or dataset: files that its cells name are read only from there, unless more is allowed."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from isthmus.base.errors import IsthmusError
from isthmus.media.source import UnreadableError, regular_file

FILE_URI = re.compile(r"(?:file:(?=/)|local:(?=//))(?://(?P<host>[^/]*))?(?P<path>.*)", re.IGNORECASE | re.DOTALL)
URI = re.compile(r"[a-z][a-z0-9+.-]*(::[a-z][a-z0-9+.-]*)*://", re.IGNORECASE)


def is_remote(named: str) -> bool:
    """Whether a path or URI is not that of a local file."""
    return URI.match(named) is not None and FILE_URI.fullmatch(named) is None


class OwnFolder:
    """Finds the local files that a table or dataset in ``folder`` names."""

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        self.folder, self.allow_outside = folder, allow_outside
        self._real: dict[Path, Path] = {}

    def opened_cell(self, cell: Any, place: str) -> BufferedIOBase:
        """The bytes that a cell holds, or those of the file it names: bytes, a path, or a struct of the two.

        Raises `UnreadableError`, beginning with ``place``, for any other cell, and errors as `file` does.
        """
        held = (cell.get("bytes"), cell.get("path")) if isinstance(cell, Mapping) else (cell,)
        content = next((one for one in held if one not in (None, "")), None)
        if isinstance(content, bytes):
            return io.BytesIO(content)
        if isinstance(content, str):
            return regular_file(self.file(content, place))
        problem = "is empty" if content is None else f"is a {type(content).__name__}, not bytes or a path"
        raise UnreadableError(f"{place}: the cell {problem}")

    def file(self, named: str, place: str) -> Path:
        """The file of a path, relative to the folder, or of a file URI.

        Raises `IsthmusError`, beginning with ``place``, if no file can have that name, or if it is outside the folder,
        also through ``..`` or a link, unless that is allowed.
        """
        uri = FILE_URI.fullmatch(named)
        if uri is not None:
            if (uri["host"] or "localhost").lower() != "localhost":
                raise IsthmusError(f"{place}: {named!r:.200} is on the machine {uri['host']!r}: write file:///…")
            named = unquote(uri["path"])
        path = self.folder / named
        try:
            if b"\0" in os.fsencode(path):
                raise ValueError("it has a NUL character")
            inside = self.allow_outside or self._is_inside(path)
        except (ValueError, OSError, RuntimeError) as error:
            # Half of a surrogate pair, a loop of links, a name that is too long.
            raise IsthmusError(f"{place}: {named!r:.200} cannot be a path ({error}): correct or delete it") from error
        if not inside:
            raise IsthmusError(
                f"{place}: {named!r:.200} is outside {self.folder}: if you trust it, pass --allow-outside "
                "(allow_outside=True in Python)"
            )
        return path

    def _is_inside(self, path: Path) -> bool:
        """Whether the file is below the folder once every link is followed; its folder is resolved once."""
        odd = path.name == ".." or path.is_symlink()
        whole = path.resolve() if odd else self._resolved(path.parent) / path.name
        return whole.is_relative_to(self._resolved(self.folder))

    def _resolved(self, folder: Path) -> Path:
        if folder not in self._real:
            self._real[folder] = folder.resolve()
        return self._real[folder]
