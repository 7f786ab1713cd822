"""The folder of a code model: config, weights and card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from isthmus.artifacts.card import bullets, card, usage
from isthmus.artifacts.folder import ModelFiles, read_model
from isthmus.base.options import make_config
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.distribution import FLOOR
from isthmus.codes.model.view import View
from isthmus.spaces.registry import licence_of

FORMAT, KIND = "isthmus-code-model-1", "code model"
DROPPED = ("logarithm", "balance", "commitment", "refinements")
"""Options of version 0.1. They affected training only, except ``logarithm``, which becomes the model's ``floor``."""
LAYER, LAYER_ON_DISK = ".head.normalize.", ".head.normalise."
"""A layer's name in Python, and in the names of its tensors on disk."""
Model = TypeVar("Model")


@dataclass(frozen=True)
class SavedCodes:
    """The contents of a folder; the fields are those of `CodeModel`."""

    views: Mapping[str, View]
    config: CodesConfig
    facts: Mapping[str, Any]
    summary_dim: int
    floor: float
    tensors: Mapping[str, Tensor]


def write_codes(saved: SavedCodes, folder: Path) -> Path:
    """Write the folder, or replace the code model in it; returns the folder."""
    options = asdict(saved.config)
    options["normalisation"] = options.pop("normalization")
    config = {
        "views": {name: asdict(view) for name, view in saved.views.items()},
        "config": options,
        "facts": saved.facts,
        "summary_dim": saved.summary_dim,
        "floor": saved.floor,
    }
    tensors = {name.replace(LAYER, LAYER_ON_DISK): tensor for name, tensor in saved.tensors.items()}
    return ModelFiles(FORMAT, tensors, config, _card(saved.views, saved.config.codes, saved.facts)).save(folder)


def read_codes(folder: Path, make: Callable[[SavedCodes], Model]) -> Model:
    """Read the folder and make a model from it.

    Raises `IsthmusError` naming the file that is missing, cut short, altered, or inconsistent with the weights.
    """
    return read_model(folder, FORMAT, KIND, lambda config, tensors: make(_saved(config, tensors)))


def _saved(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> SavedCodes:
    views = {name: View(**entry) for name, entry in config["views"].items()}
    options = {name: value for name, value in config["config"].items() if name not in DROPPED}
    options["normalization"] = options.pop("normalisation")
    floor = config.get("floor", FLOOR if config["config"].get("logarithm") == "floored" else 0.0)
    own = {name.replace(LAYER_ON_DISK, LAYER): tensor for name, tensor in tensors.items()}
    return SavedCodes(views, make_config(CodesConfig, options), config["facts"], config["summary_dim"], floor, own)


def _card(views: Mapping[str, View], codes: int, facts: Mapping[str, Any]) -> str:
    """The model card as Markdown."""
    modalities = dict.fromkeys(view.modality for view in views.values())
    spaces = dict.fromkeys(view.space for view in views.values())
    return card(
        f"{codes} codes shared by {', '.join(modalities)}",
        ("multimodal", "discrete-codes", "CMCM"),
        f"The model assigns every token of these inputs one of {codes} codes, which all inputs share:",
        bullets(f"`{name}`: {view.modality} tokens of `{view.space}`, {view.dim}-d" for name, view in views.items()),
        "## Trained on",
        bullets(facts.get("sources", [])),
        "## How well the modalities share the codes",
        bullets(facts.get("health", [])),
        "No single figure proves sharing: read them together.",
        "## Use",
        usage(
            'model = isthmus.CodeModel.from_pretrained("this folder")',
            "codes = isthmus.assign_codes(model, tokens)  # isthmus.Tokens of one of the inputs above",
        ),
        "An isthmus implementation of Cross-Modal Discrete Representation Learning (Liu et al., ACL 2022, arXiv "
        "2106.05438). The licences of the encoders that made the tokens apply to everything derived from them:",
        bullets(f"`{space}`: {licence_of(space)}" for space in spaces),
    )
