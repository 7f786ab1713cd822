"""A stream for C libraries that read through callbacks, which no Python error can pass through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase

from isthmus.media.source import ByteSource


@contextmanager
def callback_stream(source: ByteSource) -> Iterator[BufferedIOBase]:
    """Open a source for soundfile or PyAV. An error of the source is raised at the end.

    Both print errors that are raised in their callbacks, and PyAV may raise them while it reads the next file.
    """
    with source.open() as file:
        stream = _CallbackStream(file)
        try:
            yield stream
        finally:
            if stream.failure is not None:
                raise stream.failure


class _CallbackStream(BufferedIOBase):
    """Never raises: a failed read ends the file, a position that cannot be (damaged files ask for some) is ignored."""

    def __init__(self, file: BufferedIOBase) -> None:
        self.file = file
        self.failure: Exception | None = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; none after a failure."""
        try:
            return b"" if self.failure is not None else self.file.read(size)
        except Exception as error:
            self.failure = error
            return b""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position; -1 if there is no such position."""
        try:
            return self.file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1

    def tell(self) -> int:
        """The position."""
        return self.file.tell()
