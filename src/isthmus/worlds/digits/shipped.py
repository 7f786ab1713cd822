"""What ships with the package: handwriting, speech and trained weights, each checked by its fingerprint."""

from __future__ import annotations

from pathlib import Path

from isthmus.worlds.digits.source import Source

ASSETS = Path(__file__).parent / "assets"
SHIPPED_WEIGHTS = ASSETS / "spaces.safetensors"


def default_source() -> Source:
    raise NotImplementedError
