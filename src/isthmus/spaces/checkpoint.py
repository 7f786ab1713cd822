"""Checkpoints: loaded through transformers at a fixed revision, or from PyTorch files without running their code."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.base.hashing import sha256_of
from isthmus.spaces.protocol import Weights

SUFFIXES = ("*.safetensors", "*.bin", "*.pt")


def loaded(weights: Weights, load: Callable[..., Any]) -> Any:
    """What ``load`` (a ``from_pretrained``) makes of the checkpoint at its revision; Python in it is never run.

    Raises `IsthmusError` if the checkpoint does not exist, cannot be fetched, is of another kind, or needs code of its
    own.
    """
    local = Path(weights.source)
    if not local.exists() and weights.source.startswith((".", "/")):
        raise IsthmusError(f"{weights.source}: not found: give the folder of a checkpoint, or its name on the hub")
    silence_transformers()
    revision = {} if local.exists() or not weights.revision else {"revision": weights.revision}
    try:
        # Without this, transformers asks on stdin whether to run the checkpoint's code.
        return load(weights.source, trust_remote_code=False, **revision)
    except Exception as error:
        # Loading runs through four libraries, each with errors of its own.
        if "trust_remote_code" in str(error):
            raise IsthmusError(
                f"{weights.source}: needs Python code of its own, which isthmus does not run: choose a checkpoint that "
                "transformers or sentence-transformers load without it"
            ) from error
        remedy = (
            "give the folder of a complete checkpoint of this family"
            if local.exists()
            else "check the name and the connection, or download it elsewhere (hf download) and give its folder"
        )
        raise IsthmusError(f"{weights.source}: cannot be loaded ({reason_of(error)}): {remedy}") from error


def silence_transformers() -> None:
    """Turn off transformers' bars and advice; errors are raised all the same."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def loaded_model(weights: Weights, model_class: Any, kinds: tuple[str, ...]) -> Any:
    """The model, without gradients, on its device and in its precision.

    Raises `IsthmusError` if the checkpoint's model type is not one of ``kinds``, or weights are missing.
    """
    import torch
    from transformers import AutoConfig

    kind = loaded(weights, AutoConfig.from_pretrained).model_type
    if kind not in kinds:
        raise IsthmusError(
            f"{weights.source}: is a checkpoint of {kind}, not of {' or '.join(kinds)}: name its own family"
        )
    model, facts = loaded(weights, partial(model_class.from_pretrained, output_loading_info=True))
    missing = sorted(facts["missing_keys"])
    if missing:
        raise IsthmusError(
            f"{weights.source}: is not a checkpoint of {model_class.__name__}: it has no weights for {missing[0]} "
            f"({len(missing)} are missing)"
        )
    return model.eval().requires_grad_(False).to(weights.device, getattr(torch, weights.precision))


def read_weights_only(path: Path) -> Any:
    """The content of a PyTorch file: tensors, plain containers and an `argparse.Namespace`; nothing else is unpickled.

    Raises `IsthmusError` if the file does not exist, is damaged or would run code.
    """
    import torch

    if not path.is_file():
        raise IsthmusError(f"{path}: not found: give the path of the .pt file")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise IsthmusError(
            f"{path}: is damaged or has more than plain weights ({reason_of(error)}): download the official file again"
        ) from error


def revision_of(weights: Weights, model: Any = None) -> str:
    """The commit that was loaded, or a hash of a local checkpoint's weights."""
    local = Path(weights.source)
    if not local.exists():
        return str(getattr(getattr(model, "config", None), "_commit_hash", None) or weights.revision)
    return f"sha256:{hash_of_weights(local)}"


@lru_cache(maxsize=8)
def hash_of_weights(local: Path) -> str:
    """Sixteen hexadecimal digits of the hash of a checkpoint's weights, a file or a folder of them."""
    files = [local] if local.is_file() else sorted(file for kind in SUFFIXES for file in local.rglob(kind))
    digest = hashlib.sha256("".join(sha256_of(file) for file in files).encode())
    return digest.hexdigest()[:16]
