"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path


def user_path(path: str | Path) -> Path:
    """A path that a user gave, with ``~`` for the home folder, as shells have it."""
    return Path(path).expanduser()
