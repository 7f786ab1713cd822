"""The command line: one file per command. A command reads files, calls the library and says where the result is.

Takes command line arguments; gives files, lines on stdout, and one line on stderr with exit code 2 for bad input.
"""

from isthmus.cli.app import commands, main

__all__ = ["commands", "main"]
