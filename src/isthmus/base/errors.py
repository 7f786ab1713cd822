"""Errors: one line that names the file, row or option, and the remedy; libraries' errors are turned into it here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_REASON = 240


class IsthmusError(ValueError):
    """Bad input. The message is one line that a user can act on.

    Example:
        >>> import isthmus, numpy as np
        >>> vectors = np.ones((2, 3))
        >>> isthmus.Embeddings.from_array(
        ...     vectors, modality="text", space="clip", ids=["a", "a"]
        ... )  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        isthmus.base.errors.IsthmusError: ...
    """


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Turn whatever reading a file raises into one line: the file, the reason and the remedy.

    For the few lines that open and parse one file: parsers raise errors of every type for a broken one. The
    original error stays the cause. A folder, a FIFO or a device in the file's place is refused before it is opened.
    """
    if not path.is_file():
        problem = "is not a file" if path.exists() else "not found"
        raise IsthmusError(f"{path}: {problem}: {remedy}")
    try:
        yield
    except IsthmusError:
        raise
    except Exception as error:
        raise IsthmusError(f"{path}: cannot be read ({kind_and_reason(error)}): {remedy}") from error


@contextmanager
def interpreting(path: Path, problem: str, remedy: str) -> Iterator[None]:
    """Turn whatever goes wrong with content that `reading` could parse into one line: file, problem, reason, remedy."""
    try:
        yield
    except Exception as error:
        reason = str(error) if isinstance(error, IsthmusError) else kind_and_reason(error)
        raise IsthmusError(f"{path}: {problem} ({reason}): {remedy}") from error


def kind_and_reason(error: BaseException) -> str:
    """The reason, preceded by the error's type where the message alone would say too little."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    return reason_of(error) if type(error) is ValueError else f"{type(error).__name__}: {reason_of(error)}"


def reason_of(error: BaseException) -> str:
    """The message of another library's error, as one line of at most 240 characters."""
    return " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
