"""Checkpoints in PyTorch's own format, read without running anything that is in them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of


def read_weights_only(path: Path) -> Any:
    """What the file holds: tensors, plain containers, and the arguments' namespace; nothing else is unpickled.

    Raises `IsthmusError` where it is absent, damaged or would run code.
    """
    import torch

    if not path.is_file():
        raise IsthmusError(f"{path}: not found: give the path of the .pt file")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise IsthmusError(
            f"{path}: holds no plain weights ({reason_of(error)}): fetch the official file again"
        ) from error
