"""What goes wrong, said in one line that names the file, row or option and the remedy."""


class IsthmusError(ValueError):
    """Bad input, refused at the door. The message is one line a user can act on."""
