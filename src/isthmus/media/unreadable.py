"""What a reader raises for a file it cannot use: one bad item, not the end of a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from isthmus.base.errors import IsthmusError, reason_of


class UnreadableError(IsthmusError):
    """A media file that cannot be read. The message names it and says why, in one line."""


@contextmanager
def unreadable(name: str) -> Iterator[None]:
    """Whatever a library raises for a broken file, said as `UnreadableError`: what parsers run into has no bounds."""
    try:
        yield
    except IsthmusError:
        raise
    except FileNotFoundError as error:
        raise UnreadableError(f"{name}: not found") from error
    except MemoryError as error:
        raise UnreadableError(f"{name}: needs more memory than a reader may use") from error
    except Exception as error:
        raise UnreadableError(f"{name}: not readable ({type(error).__name__}: {reason_of(error)})") from error
