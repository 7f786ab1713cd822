"""The model card: a connector's ``README.md``, written from the facts of its fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.artifacts.card import bullets, card, usage
from isthmus.base.json_files import json_text
from isthmus.spaces.registry import licence_of


def model_card(fields: Mapping[str, Any], dims: Mapping[str, int], joint_dim: int) -> str:
    """Markdown that says what was connected and how, how far to trust it, and how to load it.

    ``fields`` are a connector's, by name; ``dims`` are the dimensions of its two spaces.
    """
    left, right = fields["left_space"], fields["right_space"]
    weighted = zip(fields["members"], fields["weights"], strict=True)
    report, revisions = fields["report"], fields["revisions"]
    fit = {"config": dict(fields["config"]), "choice": dict(fields["choice"])}
    return card(
        f"{left} + {right}",
        ("multimodal", "embeddings", "contrastive", "c-mcr"),
        f"Connects the spaces `{left}` ({dims[left]}-d) and `{right}` ({dims[right]}-d), which share the modality "
        f"`{fields['overlap']}`, in one space of {joint_dim} dimensions, without pairs of their other modalities.",
        "## Members",
        bullets(f"{member.method} (weight {weight:.2f})" for member, weight in weighted),
        "## How far to trust it",
        "```text\n" + "\n".join(report.lines()).replace("`", "'") + "\n```" if report else "Not measured.",
        "## Load",
        usage(
            'connector = isthmus.Connector.from_pretrained("this folder")',
            "joint = connector.project(embeddings)  # of either space",
        ),
        "## Licence",
        "These weights were computed from vectors of both encoders. The licences of the encoders and of the embedded "
        "data apply:",
        bullets(
            f"`{space}`, revision {revisions.get(space) or 'unknown'}: {licence_of(space)}" for space in (left, right)
        ),
        "## Fit",
        f"```json\n{json_text(fit, indent=2)}```",
    )
