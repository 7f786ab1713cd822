"""The model card: a connector's ``README.md``, written from the facts of its fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from isthmus.spaces.licences import licence_of

if TYPE_CHECKING:
    from isthmus.connectors.connector import Connector


def model_card(connector: Connector) -> str:
    """Markdown with what was connected, how, how far to trust it, and how to load it."""
    left, right = connector.left_space, connector.right_space
    blocks = [
        "---\nlibrary_name: isthmus\nlicense: other\ntags: [multimodal, embeddings, contrastive, c-mcr]\n---",
        f"# {left} + {right}",
        f"Joins the spaces `{left}` ({connector.input_dim(left)}-d) and `{right}` ({connector.input_dim(right)}-d), "
        f"which share the modality `{connector.overlap}`, in one space of {connector.dim} dimensions, without paired "
        "data of their other modalities.",
        "## Members",
        "\n".join(
            f"- {member.method} (weight {weight:.2f})"
            for member, weight in zip(connector.members, connector.weights, strict=True)
        ),
        "## How far to trust it",
        "\n".join(f"- {line}" for line in connector.report.lines()) if connector.report else "Not measured.",
        "## Load",
        '```python\nimport isthmus\n\nconnector = isthmus.Connector.load("this folder")\n'
        "joint = connector.project(embeddings)  # of either space\n```",
        "## Licence",
        "These weights were computed from vectors of both encoders, whose licences apply, as do those of the data they "
        "embedded:",
        "\n".join(
            f"- `{space}`, revision {connector.revisions.get(space) or 'not known'}: {licence_of(space)}"
            for space in (left, right)
        ),
        "## Fit",
        f"```json\n{json.dumps({'config': dict(connector.config), 'choice': dict(connector.choice)}, indent=2)}\n```",
    ]
    return "\n\n".join(blocks) + "\n"
