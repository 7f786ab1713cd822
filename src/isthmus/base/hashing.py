"""Hashes of files and of plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HASH_BLOCK = 2**22


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_json(content: Any) -> str:
    """SHA-256 of plain values, in hexadecimal, whatever the order of the keys of mappings."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def fingerprint_of(*facts: Mapping[str, Any] | str | int | float) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
