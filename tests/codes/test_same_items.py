"""Where items meet their vectors, their codes or each other: ids and their order, modality and space must agree."""

import numpy as np
import pytest

from isthmus import CodeItems, CodeModel, CodesConfig, Embeddings, Index, IsthmusError, PairSource, Tokens
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import pairs_by_id, pairs_by_row
from isthmus.codes.learning.sources import link_by_id, link_without_pairs
from isthmus.codes.model.view import View
from isthmus.codes.reading.alignment import rerank_by_codes
from isthmus.localize import LocateQuery, locate

IDS = ["a", "b", "c"]


def tokens(ids: object = tuple(IDS), modality: str = "audio", space: str = "clap") -> Tokens:
    rows, places = np.eye(3, 4, dtype=np.float32), np.array([[0, 1]] * 3, np.float32)
    return Tokens.from_arrays(
        rows,
        np.arange(4),
        places,
        modality=modality,
        space=space,
        unit="seconds",
        ids=ids,  # type: ignore[arg-type]
    )


def pooled(ids: object = tuple(IDS), modality: str = "audio", space: str = "clap", dim: int = 4) -> Embeddings:
    return Embeddings.from_array(np.eye(3, dim), modality=modality, space=space, ids=ids)  # type: ignore[arg-type]


@pytest.fixture
def model() -> CodeModel:
    return CodeModel({"audio": View("audio", "clap", dim=4, pooled_dim=4)}, CodesConfig(codes=4, code_dim=2))


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (pooled(["c", "b", "a"]), "row 0 is 'a' and 'c'"),
        (pooled(space="clip"), "the space is 'clap' and 'clip'"),
        (pooled(modality="text"), "the modality is 'audio' and 'text'"),
        (pooled(None), "row 0 is 'a' and '0'"),
    ],
)
def test_tokens_and_vectors_of_other_items_are_refused(vectors: Embeddings, message: str, model: CodeModel) -> None:
    with pytest.raises(IsthmusError, match=f"are not of the same items.*{message}"):
        CodeItems(tokens(), vectors)
    with pytest.raises(IsthmusError, match=f"are not of the same items.*{message}"):
        model.summarise(tokens(), vectors)


def test_items_with_ids_do_not_meet_items_that_are_only_numbered(model: CodeModel) -> None:
    assert len(CodeItems(tokens(None), pooled(None))) == 3
    assert model.summarise(tokens(None), pooled(None)).shape == (3, 4)
    with pytest.raises(IsthmusError, match=r"has ids, .* only row numbers"):
        CodeItems(tokens(range(3)), pooled(None))


def test_pooled_vectors_of_another_size_are_refused_by_the_view(model: CodeModel) -> None:
    with pytest.raises(IsthmusError, match="the view 'audio' has vectors of 4 dimensions"):
        model.summarise(tokens(), pooled(dim=5))


def test_hits_are_reranked_only_with_the_tokens_of_their_queries_and_gallery(model: CodeModel) -> None:
    hits = Index(pooled()).search(pooled(), k=2)
    assert rerank_by_codes(hits, model, tokens(), tokens()).ids.shape == (3, 2)
    with pytest.raises(IsthmusError, match="the queries' tokens are not of the same items: row 0 is 'a' and 'c'"):
        rerank_by_codes(hits, model, tokens(["c", "b", "a"]), tokens())
    for other in (["c", "b", "a"], ["a\0", "b\0", "c\0"]):
        with pytest.raises(IsthmusError, match="the gallery's tokens must be those of the items searched"):
            rerank_by_codes(hits, model, tokens(), tokens(other))


def test_row_numbers_are_no_pairs() -> None:
    numbered, given = tokens(None), tokens(range(3), "text", "clip")
    for left, right in ((numbered, given), (given, numbered), (numbered, tokens(None, "text"))):
        with pytest.raises(IsthmusError, match="have no ids, only row numbers, which pair nothing"):
            pairs_by_id(("left", left), ("right", right))
    items = {"audio": CodeItems(numbered, pooled(None)), "text": CodeItems(tokens(None, "text"), pooled(None, "text"))}
    with pytest.raises(IsthmusError, match=r"the 3 audio rows of space 'clap' have no ids"):
        link_by_id(items)
    assert len(pairs_by_row("audio", "text", 3)) == 3


def test_items_without_ids_are_linked_to_the_nearest_text_of_their_space() -> None:
    left = {
        "audio": CodeItems(tokens(None), pooled(None)),
        "text": CodeItems(tokens(range(3), "text"), pooled(range(3), "text")),
    }
    right = {"image": CodeItems(tokens(IDS, "image", "clip"), pooled(IDS, "image", "clip"))}
    assert [source.kind for source in link_without_pairs(left, right).sources] == ["neighbour"]


def test_pairs_of_rows_that_are_not_there_are_refused() -> None:
    items = {"audio": CodeItems(tokens(), pooled()), "text": CodeItems(tokens(IDS, "text"), pooled(IDS, "text"))}
    for rows in ([0, 3], [-1, 0]):
        with pytest.raises(IsthmusError, match=r"name rows .* of text, which has 3 items"):
            fit_codes(items, [PairSource("audio", "text", np.array([0, 1]), np.array(rows))])


def test_a_query_of_another_code_model_is_not_located(model: CodeModel) -> None:
    query = LocateQuery.of(model, tokens(), "a")
    assert len(list(locate(model, query, tokens()))) == 3
    other = CodeModel(model.views, model.config)
    other.codebook.vectors += 1
    with pytest.raises(IsthmusError, match="the query was made with another code model"):
        list(locate(other, query, tokens()))
