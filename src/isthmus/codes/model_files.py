"""A code model on disk: ``config.json`` + ``model.safetensors`` + ``README.md`` (the model card). Never pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from isthmus.atomic import write_whole, written_whole
from isthmus.codes.config import CodesConfig
from isthmus.codes.model_card import model_card
from isthmus.connecting.options import build
from isthmus.embeddings.shards import sha256_of
from isthmus.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus.codes.model import CodeModel

FORMAT = "isthmus-code-model-1"


def write_codes(model: CodeModel, folder: Path) -> Path:
    """Write the folder, each file whole or not at all; ``config.json`` comes last."""
    if (folder / "manifest.json").exists():
        raise IsthmusError(f"{folder}: holds an embedding set: save the codes to a folder of their own")
    weights = folder / "model.safetensors"
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    with written_whole(weights) as part:
        save_file(tensors, part)
    config = {
        "format": FORMAT,
        "views": {name: asdict(view) for name, view in model.views.items()},
        "config": asdict(model.config),
        "facts": model.facts,
        "sha256": sha256_of(weights),
    }
    write_whole(folder / "README.md", model_card(model))
    write_whole(folder / "config.json", json.dumps(config, indent=2) + "\n")
    return folder


def read_codes(folder: Path) -> CodeModel:
    """Read the folder. Raises `IsthmusError` naming the file that is absent, cut short or altered."""
    path, weights = folder / "config.json", folder / "model.safetensors"
    config = _read_config(path)
    if not weights.is_file():
        raise IsthmusError(f"{weights}: not found; the folder is incomplete, copy or save the codes again")
    if sha256_of(weights) != config.get("sha256"):
        raise IsthmusError(f"{weights}: cut short or altered (its sha256 is not config.json's); copy or save it again")
    try:
        return _model(config, load_file(weights))
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise IsthmusError(f"{path}: damaged ({reason}): copy or save the codes again") from error


def _model(config: dict[str, Any], tensors: dict[str, Tensor]) -> CodeModel:
    from isthmus.codes.model import CodeModel, View

    views = {name: View(**entry) for name, entry in config["views"].items()}
    model = CodeModel(views, build(CodesConfig, config["config"]), config["facts"])
    model.load_state_dict(tensors)
    return model.eval()


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise IsthmusError(f"{path}: not found; give the folder that `CodeModel.save` wrote")
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise IsthmusError(f"{path}: not valid JSON ({error}); copy or save the codes again") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise IsthmusError(f"{path}: not a code model of this version of isthmus")
    return config
