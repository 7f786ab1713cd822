"""The model card of a code model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.artifacts.card import bullets, card, usage
from isthmus.codes.model.view import View
from isthmus.spaces.registry import licence_of


def model_card(views: Mapping[str, View], codes: int, facts: Mapping[str, Any]) -> str:
    """The card as Markdown."""
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
