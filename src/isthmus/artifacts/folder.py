"""A model's folder: ``config.json``, ``model.safetensors`` and ``README.md`` (the model card). Never pickle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from isthmus.base.atomic import atomic_path, write_text_atomically
from isthmus.base.errors import IsthmusError, reason_of
from isthmus.base.hashing import sha256_of

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
GRAPH = "graph.json"
"""The file of a graph of spaces that names its legs, which are model folders inside the graph's folder."""


def write_model(
    folder: Path, form: str, tensors: Iterable[tuple[str, Tensor]], config: Mapping[str, Any], card: str
) -> Path:
    """Write the folder, last the config with ``form`` and the hash of the weights; returns the folder."""
    for other, what in (("manifest.json", "an embedding set"), (GRAPH, "a graph of spaces")):
        if (folder / other).exists():
            raise IsthmusError(f"{folder}: contains {what}: save the model to another folder")
    with atomic_path(folder / WEIGHTS) as part:
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors}, part)
    complete = {"format": form, **config, "sha256": sha256_of(folder / WEIGHTS)}
    write_text_atomically(folder / CARD, card)
    write_text_atomically(folder / CONFIG, json.dumps(complete, indent=2) + "\n")
    return folder


def read_model(folder: Path, form: str, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Config and weights of a model of this ``kind``.

    Raises `IsthmusError` naming the file that is missing, cut short, altered or not of this kind.
    """
    config, weights = _read_config(folder / CONFIG, form, kind), folder / WEIGHTS
    if not weights.is_file():
        raise IsthmusError(f"{weights}: not found: the folder is incomplete, copy or save the {kind} again")
    if sha256_of(weights) != config.get("sha256"):
        raise IsthmusError(
            f"{weights}: cut short or altered (its sha256 differs from the one in {CONFIG}): "
            f"copy or save the {kind} again"
        )
    try:
        return config, load_file(weights)
    except SafetensorError as error:
        raise IsthmusError(f"{weights}: not a safetensors file ({error}): copy or save the {kind} again") from error


def damaged(folder: Path, kind: str, error: Exception) -> IsthmusError:
    """The error to raise if a config is valid JSON but does not describe the weights."""
    reason = f"{type(error).__name__}: {reason_of(error)}"
    return IsthmusError(f"{folder / CONFIG}: damaged ({reason}): copy or save the {kind} again")


def _read_config(path: Path, form: str, kind: str) -> dict[str, Any]:
    if not path.is_file():
        raise IsthmusError(f"{path}: not found: give the folder of a saved {kind}")
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise IsthmusError(f"{path}: not valid JSON ({error}): copy or save the {kind} again") from error
    if not isinstance(config, dict) or config.get("format") != form:
        raise IsthmusError(f"{path}: not an isthmus {kind} (its format is not {form!r})")
    return config
