"""The terminal: output without control characters, whoever named the files and items."""

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, NoReturn

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, recolour or reorder what is shown, and half surrogates; newline and tab are left."""


def printable(text: str) -> str:
    """The text with control characters as escapes such as ``\\x1b``.

    Example:
        >>> printable("a\\x1b[2Jdog")
        'a\\\\x1b[2Jdog'
    """
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class _Printable:
    """A stream that escapes control characters."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printable_output() -> Iterator[None]:
    """Escape what a terminal would obey or its encoding lacks, on stdout and in log lines."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    lines = logging.StreamHandler()
    lines.setFormatter(_PrintableLines("isthmus: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    stdout = sys.stdout
    with redirect_stdout(_Printable(stdout)):
        yield
        stdout.flush()


class _PrintableLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def say(message: str) -> None:
    """One line on stderr."""
    print(f"isthmus: {printable(' '.join(message.split()))}", file=sys.stderr)


def end(message: str, code: int, *, show_traceback: bool = False) -> NoReturn:
    """One line on stderr, after the traceback of the error that is being handled if asked for, and the exit code."""
    if show_traceback:
        traceback.print_exc()
    say(message)
    sys.exit(code)
