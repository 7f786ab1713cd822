"""A code model on disk: what its folder holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from isthmus.artifacts.folder import damaged, read_model, write_model
from isthmus.base.options import make_config
from isthmus.codes.model.card import model_card
from isthmus.codes.model.config import CodesConfig

if TYPE_CHECKING:
    from isthmus.codes.model.model import CodeModel

FORMAT, KIND = "isthmus-code-model-1", "code model"


def write_codes(model: CodeModel, folder: Path) -> Path:
    """Write the folder, each file whole or not at all."""
    config = {
        "views": {name: asdict(view) for name, view in model.views.items()},
        "config": asdict(model.config),
        "facts": model.facts,
        "summary_dim": model.summary_dim,
    }
    return write_model(folder, FORMAT, model.state_dict().items(), config, model_card(model))


def read_codes(folder: Path) -> CodeModel:
    """Read the folder. Raises `IsthmusError` naming the file that is absent, cut short or altered."""
    config, tensors = read_model(folder, FORMAT, KIND)
    try:
        return _model(config, tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise damaged(folder, KIND, error) from error


def _model(config: dict[str, Any], tensors: dict[str, Tensor]) -> CodeModel:
    from isthmus.codes.model.model import CodeModel, View

    views = {name: View(**entry) for name, entry in config["views"].items()}
    model = CodeModel(views, make_config(CodesConfig, config["config"]), config["facts"], config["summary_dim"])
    model.load_state_dict(tensors)
    return model.eval()
