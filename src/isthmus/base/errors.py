"""What goes wrong, said in one line that names the file, row or option and the remedy."""

LONGEST_REASON = 240


class IsthmusError(ValueError):
    """Bad input, refused at the door. The message is one line a user can act on."""


def reason_of(error: BaseException) -> str:
    """What another library raised, in one line of bounded length."""
    return " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
