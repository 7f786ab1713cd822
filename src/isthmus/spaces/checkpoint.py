"""Checkpoints of the hub or of a folder, loaded through transformers at a fixed revision."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.base.hashing import sha256_of
from isthmus.spaces.protocol import Ask

WEIGHTS = ("*.safetensors", "*.bin", "*.pt")


def loaded(ask: Ask, load: Callable[..., Any]) -> Any:
    """What ``load`` (a ``from_pretrained``) makes of the checkpoint at its revision.

    Raises `IsthmusError` where it is not there, cannot be fetched, or holds something else.
    """
    local = Path(ask.checkpoint)
    if not local.exists() and ask.checkpoint.startswith((".", "/")):
        raise IsthmusError(f"{ask.checkpoint}: not found: give the folder of a checkpoint, or its name on the hub")
    silence_transformers()
    try:
        return load(ask.checkpoint, **({} if local.exists() or not ask.revision else {"revision": ask.revision}))
    except Exception as error:
        # Loading runs through four libraries, each with errors of its own.
        remedy = (
            "give the folder of a whole checkpoint of this family"
            if local.exists()
            else "check name and connection, or fetch it elsewhere (hf download) and give its folder"
        )
        raise IsthmusError(f"{ask.checkpoint}: cannot be loaded ({reason_of(error)}): {remedy}") from error


def silence_transformers() -> None:
    """No bars and advice while a checkpoint is read; what goes wrong is raised."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def loaded_model(ask: Ask, model_class: Any, kinds: tuple[str, ...]) -> Any:
    """The model, without gradients, on its device and in its precision.

    Raises `IsthmusError` where the checkpoint's configuration is not of one of ``kinds``, or weights are missing.
    """
    import torch
    from transformers import AutoConfig

    kind = loaded(ask, AutoConfig.from_pretrained).model_type
    if kind not in kinds:
        raise IsthmusError(f"{ask.checkpoint}: is a checkpoint of {kind}, not of {' or '.join(kinds)}: name its family")
    model, facts = loaded(ask, partial(model_class.from_pretrained, output_loading_info=True))
    missing = sorted(facts["missing_keys"])
    if missing:
        raise IsthmusError(
            f"{ask.checkpoint}: has no weights for {missing[0]} ({len(missing)} such): it is no checkpoint of "
            f"{model_class.__name__}"
        )
    return model.eval().requires_grad_(False).to(ask.device, getattr(torch, ask.precision))


def revision_of(ask: Ask, model: Any = None) -> str:
    """The commit that was loaded, or a hash of a local checkpoint's weights."""
    local = Path(ask.checkpoint)
    if not local.exists():
        return str(getattr(getattr(model, "config", None), "_commit_hash", None) or ask.revision)
    return f"sha256:{hash_of_weights(local)}"


@lru_cache(maxsize=8)
def hash_of_weights(local: Path) -> str:
    """Sixteen hexadecimal digits that follow from a checkpoint's weights, a file or a folder of them."""
    files = [local] if local.is_file() else sorted(file for kind in WEIGHTS for file in local.rglob(kind))
    digest = hashlib.sha256("".join(sha256_of(file) for file in files).encode())
    return digest.hexdigest()[:16]
