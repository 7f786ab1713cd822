"""The projection of a row does not depend on the rows beside it, however small the penalty."""

import numpy as np
import pytest

import isthmus
from two_sides import Sides


def low_rank_spaces(rank: int, dims: tuple[int, int], texts: int) -> Sides:
    """Two spaces of low rank with little noise: what a tiny penalty magnifies."""
    random = np.random.default_rng(0)
    maps = [random.standard_normal((rank, dim)) for dim in dims]
    meaning = random.standard_normal((texts, rank))
    found = []
    for number, (space, other) in enumerate((("left", "image"), ("right", "audio"))):
        own = {}
        for modality, content in (("text", meaning), (other, random.standard_normal((150, rank)))):
            rows = content @ maps[number] + 0.01 * random.standard_normal((len(content), dims[number]))
            own[modality] = isthmus.Embeddings.from_array(
                rows.astype(np.float32), modality=modality, space=space, ids=list(range(len(rows)))
            )
        found.append(own)
    return found[0], found[1]


@pytest.mark.parametrize("method", ["cca", "ridge"])
@pytest.mark.parametrize(("rank", "texts", "penalty"), [(5, 100, 1e-14), (40, 60, 1e-10), (10, 300, 1e-30)])
def test_a_row_is_projected_alike_alone_and_among_others(method: str, rank: int, texts: int, penalty: float) -> None:
    left, right = low_rank_spaces(rank, (100, 120), texts)
    connector = isthmus.connect(left, right, method=method, penalty=penalty)
    for own in (left["image"], right["audio"]):
        together = connector.project(own).vectors
        for rows in (1, 3, 50):
            parts = [connector.project(own.take(np.arange(n, min(n + rows, len(own))))) for n in range(0, 150, rows)]
            np.testing.assert_allclose(np.concatenate([part.vectors for part in parts]), together, rtol=0, atol=1e-6)
