"""What goes wrong, said in one line that names the file, row or option and the remedy."""


class IsthmusError(ValueError):
    """Bad input, refused at the door. The message is one line a user can act on."""


class MissingDependencyError(IsthmusError, ImportError):
    """An optional library is not installed. The message is the line that installs it."""
