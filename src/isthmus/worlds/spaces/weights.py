"""Trained spaces on disk: one safetensors file for the two spaces of a world, named by a fingerprint."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.tensor_files import read_header, read_tensors, write_tensors
from isthmus.worlds.spaces.space import ContrastiveSpace

Spaces = tuple[ContrastiveSpace, ContrastiveSpace]
REMEDY = "delete it to retrain"


def user_directory() -> Path:
    """The cache of isthmus: ``ISTHMUS_HOME``, or the platform's cache directory."""
    if os.environ.get("ISTHMUS_HOME"):
        return Path(os.environ["ISTHMUS_HOME"]).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "isthmus" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "isthmus"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isthmus"


def cache_path(world: str, fingerprint: str) -> Path:
    """The cache file of a world's weights with this fingerprint."""
    return user_directory() / world / f"{fingerprint}.safetensors"


def in_half_precision(spaces: Spaces) -> dict[str, Tensor]:
    """Every weight by name, as float16."""
    return {
        f"{space.modality}.{name}": tensor.half().contiguous()
        for space in spaces
        for name, tensor in space.state_dict().items()
    }


def round_to_half(spaces: Spaces) -> None:
    """Round the weights to float16, so spaces that were just trained equal ones that were loaded."""
    _fill(spaces, in_half_precision(spaces))


def save_spaces(
    path: Path, spaces: Spaces, recipe: Mapping[str, object], fingerprint: str, facts: Mapping[str, float]
) -> None:
    """Write the weights as float16 with their recipe and ``facts`` measured on them, atomically."""
    tensors = in_half_precision(spaces)
    metadata = {
        "fingerprint": fingerprint,
        "sha256": _digest(tensors),
        "recipe": json.dumps(dict(recipe), sort_keys=True),
        "facts": json.dumps(dict(facts), sort_keys=True),
        "isthmus": version("isthmus"),
    }
    write_tensors(path, tensors, metadata)


def load_spaces(path: Path, spaces: Spaces, fingerprint: str) -> Spaces:
    """Fill untrained ``spaces`` with the weights that `save_spaces` wrote, ready for use.

    Raises:
        IsthmusError: The file is altered, truncated, or was trained on something else; the message names it.
    """
    tensors, metadata = read_tensors(path, REMEDY)
    if metadata.get("sha256") != _digest(tensors):
        raise IsthmusError(f"{path}: altered or truncated (its weights do not match its sha256); delete it to retrain")
    if metadata.get("fingerprint") != fingerprint:
        raise IsthmusError(f"{path}: trained on other data or with another recipe; delete it to retrain")
    _fill(spaces, tensors)
    for space in spaces:
        space.eval()
    return spaces


def recorded(path: Path) -> dict[str, str]:
    """The file's metadata: fingerprint, recipe, facts, library version."""
    return read_header(path, REMEDY)


def _fill(spaces: Spaces, tensors: Mapping[str, Tensor]) -> None:
    for space in spaces:
        own = f"{space.modality}."
        space.load_state_dict({name[len(own) :]: t.float() for name, t in tensors.items() if name.startswith(own)})


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].to(torch.float16).numpy().tobytes())
    return digest.hexdigest()
