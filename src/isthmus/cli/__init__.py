"""The commands. Nothing is computed here: each command reads, calls one function, says where its result lies."""

from isthmus.cli.app import commands, main

__all__ = ["commands", "main"]
