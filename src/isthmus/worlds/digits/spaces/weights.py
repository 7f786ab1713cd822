"""Trained weights on disk: one safetensors file for both spaces, named by the fingerprint of its recipe and data."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.tensor_files import read_header, read_tensors, write_tensors
from isthmus.worlds.digits.spaces.recipe import Recipe
from isthmus.worlds.digits.spaces.space import ContrastiveSpace, build_space

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


def cache_path(fingerprint: str) -> Path:
    """The cache file of the weights with this fingerprint."""
    return user_directory() / "digits" / f"{fingerprint}.safetensors"


def build_spaces(recipe: Recipe) -> Spaces:
    """The two spaces of a recipe, untrained: image-text, audio-text."""
    return build_space("image", recipe.image), build_space("audio", recipe.audio)


def in_half_precision(spaces: Spaces) -> dict[str, Tensor]:
    """Every weight by name, as float16."""
    return {
        f"{space.modality}.{name}": tensor.half().contiguous()
        for space in spaces
        for name, tensor in space.state_dict().items()
    }


def save_spaces(path: Path, spaces: Spaces, recipe: Recipe, fingerprint: str, facts: Mapping[str, float]) -> None:
    """Write the weights as float16 with their recipe and ``facts`` measured on them, atomically."""
    tensors = in_half_precision(spaces)
    metadata = {
        "fingerprint": fingerprint,
        "sha256": _digest(tensors),
        "recipe": json.dumps(asdict(recipe), sort_keys=True),
        "facts": json.dumps(dict(facts), sort_keys=True),
        "isthmus": version("isthmus"),
    }
    write_tensors(path, tensors, metadata)


def load_spaces(path: Path, recipe: Recipe, fingerprint: str) -> Spaces:
    """Spaces with the weights that `save_spaces` wrote, ready for use.

    Raises `IsthmusError` naming the file if it is altered, truncated, or was trained on something else.
    """
    tensors, metadata = read_tensors(path, REMEDY)
    if metadata.get("sha256") != _digest(tensors):
        raise IsthmusError(f"{path}: altered or truncated (its weights do not match its sha256); delete it to retrain")
    if metadata.get("fingerprint") != fingerprint:
        raise IsthmusError(f"{path}: trained on other data or with another recipe; delete it to retrain")
    spaces = build_spaces(recipe)
    for space in spaces:
        own = f"{space.modality}."
        space.load_state_dict({name[len(own) :]: t.float() for name, t in tensors.items() if name.startswith(own)})
        space.eval()
    return spaces


def recorded(path: Path) -> dict[str, str]:
    """The file's metadata: fingerprint, recipe, facts, library version."""
    return read_header(path, REMEDY)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].to(torch.float16).numpy().tobytes())
    return digest.hexdigest()
