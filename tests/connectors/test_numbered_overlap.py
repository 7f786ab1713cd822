"""Rows that are only numbered are no overlap: two unrelated sets of equal size have no true pairs."""

import numpy as np
import pytest

import isthmus
from isthmus import Embeddings, IsthmusError
from isthmus.spaces.space import Space


def rows(modality: str, space: str, ids: object = None, count: int = 60, seed: int = 0) -> Embeddings:
    meaning = np.random.default_rng(0).standard_normal((count, 8))
    vectors = meaning @ np.random.default_rng(seed).standard_normal((8, 8))
    return Embeddings.from_array(vectors, modality=modality, space=space, ids=ids)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:the .* side has no memory")
@pytest.mark.parametrize("given", [(None, None), (None, range(60)), (range(60), None)])
def test_an_overlap_of_row_numbers_is_refused_and_given_row_numbers_connect(given: tuple[object, object]) -> None:
    with pytest.raises(IsthmusError, match=r"text rows of space '.*' have no ids, only row numbers.*ids=range\(n\)"):
        isthmus.connect({"text": rows("text", "clip", given[0])}, {"text": rows("text", "clap", given[1])})
    left, right = rows("text", "clip", range(60)), rows("text", "clap", range(60), seed=1)
    assert isthmus.connect({"text": left}, {"text": right}, method="procrustes").report is not None


def test_projected_rows_stay_numbered() -> None:
    left, right = (
        {"text": rows("text", space, range(60)), other: rows(other, space)}
        for space, other in (("clip", "image"), ("clap", "audio"))
    )
    connector = isthmus.connect(left, right, method="procrustes")
    projected = connector.project(left["image"])
    assert projected.numbered
    assert not connector.project(left["text"]).numbered
    with pytest.raises(IsthmusError, match="have no ids, only row numbers"):
        isthmus.metrics.retrieval(projected, connector.project(right["audio"]))


def test_a_graph_is_not_connected_through_row_numbers() -> None:
    sets = [
        {"text": rows("text", space), other: rows(other, space)}
        for space, other in (("clip", "image"), ("clap", "audio"))
    ]
    with pytest.raises(IsthmusError, match="have no ids, only row numbers"):
        isthmus.connect_graph(sets, method="cca")


def test_only_rows_of_the_same_items_are_mixed() -> None:
    ids = [str(row) for row in range(60)]
    first = rows("text", "joint", ids)
    assert not isthmus.mix_embeddings([first, rows("text", "joint", ids, seed=1)], [1.0, 1.0]).numbered
    assert isthmus.mix_embeddings([rows("text", "joint"), rows("text", "joint", seed=1)], [1.0, 1.0]).numbered
    for other, message in (
        (rows("text", "joint", ids[::-1]), "row 0 is '0' and '59'"),
        (rows("text", "other", ids), "are not of the same space"),
        (rows("image", "joint", ids), "the modality is 'text' and 'image'"),
        (rows("text", "joint"), "has ids, .* only row numbers"),
    ):
        with pytest.raises(IsthmusError, match=message):
            isthmus.mix_embeddings([first, other], [1.0, 1.0])


def test_encoded_items_have_ids_only_if_they_name_themselves() -> None:
    space: Space = isthmus.load_space("precomputed:imagebind")
    vectors = [np.array([3.0, 4.0]), np.array([0.0, 2.0])]
    assert space.encode(vectors, modality="audio").numbered
    assert not space.encode(vectors, modality="audio", ids=[0, 1]).numbered


def test_rows_added_to_an_index_of_numbered_rows_need_ids() -> None:
    index = isthmus.Index(rows("image", "joint"))
    with pytest.raises(IsthmusError, match="id '0' is already in the index: give rows ids"):
        index.add(rows("image", "joint", seed=1))
