"""Zero-shot classification: items named by the class whose prompts they resemble most (papers C, ModelNet40).

Labels and templates are read from JSON files of lists under names, as ULIP publishes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.media.item import text_item
from isthmus.spaces import Space
from isthmus.spaces.batching import collate

PROMPTS_AT_ONCE = 64


def read_names(path: Path, key: str) -> list[str]:
    """The list under ``key`` of a JSON file: class names, or templates with ``{}`` in the place of one.

    Raises `IsthmusError` where the file or the list is not there.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IsthmusError(f"{path}: not readable as JSON ({error}): give a file of named lists") from error
    if not isinstance(content, dict) or key not in content:
        held = ", ".join(content) if isinstance(content, dict) else "no named lists"
        raise IsthmusError(f"{path}: has no list {key!r} (it has {held}): name one of these")
    return [str(name) for name in content[key]]


def class_vectors(space: Space, names: Sequence[str], templates: Sequence[str]) -> Embeddings:
    """One unit row a class: its prompts' unit rows averaged, and brought to unit length. Ids are the names."""
    preparation = space.preparation("text")
    prompts = [template.format(name) for name in names for template in templates]
    rows = []
    for start in range(0, len(prompts), PROMPTS_AT_ONCE):
        views = [preparation(text_item(prompt, prompt)) for prompt in prompts[start : start + PROMPTS_AT_ONCE]]
        rows.append(space.encode("text", collate(views, preparation.padding)))
    means = np.concatenate(rows).reshape(len(names), len(templates), -1).mean(1)
    return Embeddings.from_array(means, modality="text", space=space.name, ids=list(names), revision=space.revision)


def zero_shot_accuracy(
    items: Embeddings, classes: Embeddings, labels: Int[np.ndarray, " items"], ks: Sequence[int] = (1, 3, 5)
) -> dict[int, float]:
    """Share of items, in [0, 1], whose class is among the k of highest cosine; ties count against.

    ``labels`` number the classes. Raises `IsthmusError` for vectors of two spaces and labels that are no class.
    """
    if items.space != classes.space:
        raise IsthmusError(f"items live in {items.space!r}, classes in {classes.space!r}: project them into one space")
    if len(labels) != len(items) or labels.min(initial=0) < 0 or labels.max(initial=0) >= len(classes):
        raise IsthmusError(f"give one label from 0 to {len(classes) - 1} for each of the {len(items)} items")
    scores: Float[np.ndarray, "items classes"] = items.vectors @ classes.vectors.T
    own = scores[np.arange(len(labels)), labels][:, None]
    ranks = (scores >= own).sum(1)
    return {k: float((ranks <= k).mean()) for k in ks}
