"""Zero-shot classification: items get the class whose prompts they are most similar to (papers C, ModelNet40).

Labels and templates are read from JSON files of named lists, as ULIP publishes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.base.json_files import read_json
from isthmus.base.space_names import shared_space
from isthmus.embeddings import Embeddings
from isthmus.spaces import Space

PROMPTS_AT_ONCE = 64


def read_names(path: Path, key: str) -> list[str]:
    """Read a named list of a JSON file: class names, or templates with ``{}`` for the name.

    Args:
        path: A JSON object of lists.
        key: Name of the list.

    Returns:
        The list's entries.

    Raises:
        IsthmusError: The file cannot be read as JSON, or has no such list.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from isthmus.evaluate import read_names
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "labels.json"
        ...     _ = path.write_text('{"pets": ["cat", "dog"]}')
        ...     read_names(path, "pets")
        ['cat', 'dog']
    """
    content = read_json(path, "give a JSON object of lists", finite=False)
    if not isinstance(content, dict) or key not in content:
        lists = ", ".join(content) if isinstance(content, dict) else "no named lists"
        raise IsthmusError(f"{path}: has no list {key!r} (it has {lists}): choose one of these")
    if not isinstance(content[key], list):
        raise IsthmusError(f"{path}: {key!r} is not a list: choose one that is")
    return [str(name) for name in content[key]]


def class_vectors(space: Space, names: Sequence[str], templates: Sequence[str]) -> Embeddings:
    """One unit row per class: the normalized mean of its prompts' unit rows.

    Args:
        space: A space that encodes text.
        names: The classes; they become the ids.
        templates: Prompts with ``{}`` for the name, like ``"a photo of a {}."``.

    Returns:
        Text embeddings, one row per class.
    """
    prompts = [template.format(name) for name in names for template in templates]
    rows = space.encode(prompts, modality="text", batch_size=PROMPTS_AT_ONCE).vectors
    means = rows.reshape(len(names), len(templates), -1).mean(1)
    return Embeddings.from_array(means, modality="text", space=space.name, ids=list(names), revision=space.revision)


def zero_shot_accuracy(
    items: Embeddings, classes: Embeddings, labels: Int[np.ndarray, " items"], ks: Sequence[int] = (1, 3, 5)
) -> dict[int, float]:
    """Top-k accuracy of classification by cosine.

    Args:
        items: The items, (items, dim).
        classes: One row per class of the same space, as `class_vectors` makes them.
        labels: The row of each item's true class, (items,).
        ks: The numbers of highest-scoring classes the true one may be among.

    Returns:
        k to the share of items, in [0, 1], whose class is among the k of highest cosine. Ties count against the item.

    Raises:
        IsthmusError: Items and classes are of two spaces, or a label is not the row of a class.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings
        >>> from isthmus.evaluate import zero_shot_accuracy
        >>> classes = Embeddings.from_array(np.eye(3), modality="text", space="ulip", ids=["car", "cup", "sofa"])
        >>> items = Embeddings.from_array(np.array([[0.9, 0.1, 0], [0.6, 0.8, 0]]), modality="points", space="ulip")
        >>> zero_shot_accuracy(items, classes, np.array([0, 0]), ks=(1, 2))
        {1: 0.5, 2: 1.0}
    """
    if shared_space(items.space, classes.space) is None:
        raise IsthmusError(f"items are in space {items.space!r}, classes in {classes.space!r}: project them into one")
    if len(labels) != len(items) or labels.min(initial=0) < 0 or labels.max(initial=0) >= len(classes):
        raise IsthmusError(f"give one label from 0 to {len(classes) - 1} for each of the {len(items)} items")
    scores: Float[np.ndarray, "items classes"] = items.vectors @ classes.vectors.T
    own = scores[np.arange(len(labels)), labels][:, None]
    ranks = (scores >= own).sum(1)
    return {k: float((ranks <= k).mean()) for k in ks}
