"""Two small spaces that share texts, as `connect` takes them."""

import numpy as np

from isthmus.embeddings import Embeddings
from two_views import draw

Sides = tuple[dict[str, Embeddings], dict[str, Embeddings]]


def two_spaces(*, left_space: str = "left", right_space: str = "right", revision: str = "") -> Sides:
    materials = draw(texts=300, memory=200, dims=(20, 20)).materials
    found = []
    for side, space in ((materials.left, left_space), (materials.right, right_space)):
        found.append(
            {
                rows.modality: Embeddings.from_array(
                    np.asarray(rows.vectors), modality=rows.modality, space=space, ids=rows.ids, revision=revision
                )
                for rows in (side.overlap, side.memory)
            }
        )
    return found[0], found[1]
