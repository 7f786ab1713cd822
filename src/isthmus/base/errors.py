"""Errors: one line that names the file, row or option, and the remedy."""

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


def reason_of(error: BaseException) -> str:
    """The message of another library's error, as one line of at most 240 characters."""
    return " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
