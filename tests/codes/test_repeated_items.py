"""Pairs that share an item, or have equal ones, are not each other's negatives: neither loss pays for a repeat."""

import math

import numpy as np
import pytest
import torch

from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.losses import code_matching, code_similarity, masked_margin_softmax
from isthmus.codes.learning.objective import CodesObjective, Terms
from isthmus.codes.learning.pairs import CodeItems, PairSource, neighbour_pairs
from isthmus.codes.learning.same_items import pair_groups
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import TokenPart, Tokens
from isthmus.training.repeats import repeats_of

EYE = np.eye(4, dtype=np.float32)


def items(rows: np.ndarray, modality: str) -> CodeItems:
    """Items of two equal tokens each, in the direction of their pooled vector."""
    ids = [f"{modality} {number}" for number in range(len(rows))]
    kind = {"modality": modality, "space": f"{modality} space", "ids": ids}
    places = np.zeros((2 * len(rows), 2), np.float32)
    tokens = Tokens.from_arrays(rows.repeat(2, 0), np.arange(len(rows) + 1) * 2, places, unit="seconds", **kind)
    return CodeItems(tokens, Embeddings.from_array(rows, **kind))


def masks(sources: list[PairSource], **views: np.ndarray) -> list[list[list[int]] | None]:
    found = pair_groups({name: items(rows, name) for name, rows in views.items()}, sources)
    every = (repeats_of(groups, torch.arange(len(source))) for groups, source in zip(found, sources, strict=True))
    return [None if mask is None else mask.int().tolist() for mask in every]


def test_a_perfect_batch_with_a_repeat_costs_no_more_than_one_without() -> None:
    sure = 40 * torch.eye(4, dtype=torch.float64)
    rows = torch.tensor([0, 1, 2, 0])
    codes = sure.log_softmax(1)
    repeats = repeats_of(torch.tensor([[0, 1, 2, 0]]), torch.arange(4))
    costs = [
        (
            masked_margin_softmax(sure[part], sure[part], 0.001, mask),
            code_matching(codes[part], codes[part], mask),
        )
        for part, mask in ((torch.arange(3), None), (rows, repeats), (rows, None))
    ]
    for without, masked, today in zip(*costs, strict=True):
        assert without.item() == pytest.approx(0, abs=1e-9)
        assert masked.item() == pytest.approx(0, abs=1e-9)
        assert today.item() > math.log(2) / 2 - 1e-3


def test_masked_losses_are_sums_without_the_repeats() -> None:
    draw = torch.Generator().manual_seed(0)
    left, right = (torch.randn(5, 4, generator=draw, dtype=torch.float64) for _ in range(2))
    kinds = torch.tensor([[0, 1, 2, 0, 4], [0, 1, 2, 3, 2]])
    repeats = repeats_of(kinds, torch.arange(5))
    others = [[j for j in range(5) if j == i or not bool((kinds[:, i] == kinds[:, j]).any())] for i in range(5)]

    def cost(scores: torch.Tensor, margin: float) -> float:
        total = 0.0
        for i, kept in enumerate(others):
            terms = {j: math.exp(scores[i, j] - margin * (i == j)) for j in kept}
            total -= math.log(terms[i] / sum(terms.values())) / 5
        return total

    expected = cost(left @ right.T, 0.1) + cost(right @ left.T, 0.1)
    assert masked_margin_softmax(left, right, 0.1, repeats).item() == pytest.approx(expected, rel=1e-9)
    codes = left.log_softmax(1), right.log_softmax(1)
    assert code_matching(*codes, repeats).item() == pytest.approx(cost(code_similarity(*codes), 0), rel=1e-9)


def test_equal_captions_and_known_pairs_make_groups() -> None:
    pairs = PairSource("image", "text", np.arange(3), np.arange(3))
    assert masks([pairs], image=EYE[:3], text=EYE[:3]) == [None]
    repeated = [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert masks([pairs], image=EYE[:3], text=EYE[[0, 1, 0]]) == [repeated]
    same_image = PairSource("image", "text", np.array([0, 1, 0]), np.arange(3))
    assert masks([same_image], image=EYE[:3], text=EYE[:3]) == [repeated]


def test_captions_join_pairs_of_the_items_that_they_describe() -> None:
    sources = [
        PairSource(left, right, np.arange(3), np.arange(3)) for left, right in (("image", "audio"), ("text", "audio"))
    ]
    repeated = [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert masks(sources, image=EYE[:3], audio=EYE[:3], text=EYE[[0, 1, 0]]) == [repeated, repeated]


def test_neighbours_join_only_pairs_of_the_same_item() -> None:
    image, audio = items(EYE[:3], "image"), items(EYE[[0, 1, 0]] + 0.1 * EYE[:3], "audio")
    guesses = PairSource("audio", "image", np.arange(3), np.array([0, 1, 0]), "neighbour")
    back = PairSource("image", "audio", np.arange(3), np.arange(3), "neighbour")
    groups = pair_groups({"image": image, "audio": audio}, [guesses, back])
    assert groups[1] is None
    assert groups[0] is not None
    assert repeats_of(groups[0], torch.arange(3)).int().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    found = neighbour_pairs(
        ("a", Embeddings.from_array(EYE, modality="image", space="s")),
        ("b", Embeddings.from_array(EYE, modality="audio", space="s")),
    )
    assert found.kind == "neighbour"


def test_items_of_equal_vectors_and_other_tokens_are_not_equal() -> None:
    same = items(EYE[[0, 0, 1]], "image")
    tokens = Tokens.from_arrays(
        EYE[:3], np.arange(4), np.zeros((3, 2), np.float32), unit="seconds", modality="image", space="image space",
        ids=same.tokens.ids,
    )  # fmt: skip
    pairs = [PairSource("image", "text", np.arange(3), np.arange(3))]
    text = items(EYE[:3], "text")
    assert pair_groups({"image": same, "text": text}, pairs) != [None]
    assert pair_groups({"image": CodeItems(tokens, same.pooled), "text": text}, pairs) == [None]


def test_the_objective_leaves_repeats_out() -> None:
    views = {"image": items(EYE, "image"), "text": items(EYE[[0, 1, 0, 2]], "text")}
    config = CodesConfig(codes=2, code_dim=4, restarts=1, start="normal", matching_weight=1.0)
    torch.manual_seed(0)
    model = CodeModel({name: View.of(own.tokens, own.pooled) for name, own in views.items()}, config)
    seen = []

    def matching(left: torch.Tensor, right: torch.Tensor, repeats: torch.Tensor | None) -> torch.Tensor:
        seen.append(repeats)
        return code_matching(left, right, repeats)

    objective = CodesObjective(model, views, [PairSource("image", "text", np.arange(4), np.arange(4))], Terms(matching))
    objective(torch.arange(4), torch.Generator().manual_seed(0))
    assert seen[0].sum().item() == 2


def with_token(value: float, kind: type = np.float32) -> CodeItems:
    """Items whose third token, the first of the second item, is not finite: as tokens on disk are, unchecked."""
    sound = items(EYE, "image")
    vectors = sound.tokens.vectors.astype(kind)
    vectors[2, 1] = value
    part = TokenPart(vectors, sound.tokens.offsets, sound.tokens.places)
    tokens = Tokens([part], modality="image", space="image space", dim=4, ids=sound.tokens.ids, unit="seconds")
    return CodeItems(tokens, sound.pooled)


@pytest.mark.parametrize("bad", [with_token(np.nan), with_token(np.inf, np.float16)])
def test_a_token_that_is_not_finite_is_refused_with_its_item_and_row(bad: CodeItems) -> None:
    views = {"image": bad, "text": items(EYE, "text")}
    problem = r"image: token 0 of item 'image 1' \(row 2\) contains NaN or infinity"
    with pytest.raises(IsthmusError, match=problem):
        fit_codes(views, [PairSource("image", "text", np.arange(4), np.arange(4))], codes=2)
    config = CodesConfig(codes=2, code_dim=4)
    model = CodeModel({name: View.of(own.tokens, own.pooled) for name, own in views.items()}, config)
    for read in (model.assign, model.item_codes, lambda tokens: model.summarise(tokens, bad.pooled)):
        with pytest.raises(IsthmusError, match=problem):
            read(bad.tokens)


def test_a_pooled_vector_that_is_not_finite_is_refused_with_its_item_and_row() -> None:
    views = {"image": items(EYE, "image"), "text": items(EYE, "text")}
    views["text"].pooled.vectors[3, 0] = np.inf
    with pytest.raises(IsthmusError, match=r"text: the pooled vector of item 'text 3' \(row 3\) contains NaN"):
        fit_codes(views, [PairSource("image", "text", np.arange(4), np.arange(4))], codes=2)


def test_tokens_name_the_item_of_a_value_too_large_for_float32() -> None:
    vectors = np.eye(4)
    vectors[3, 3] = 1e300
    with pytest.raises(IsthmusError, match=r"text tokens: token 3 \(item 'c'\) contains NaN or infinity"):
        Tokens.from_arrays(
            vectors,
            np.array([0, 1, 2, 4]),
            np.zeros((4, 2)),
            modality="text",
            space="s",
            unit="characters",
            ids=list("abc"),
        )


@pytest.mark.parametrize("pairs", [0, 1])
def test_sources_that_cannot_be_trained_on_are_named(pairs: int) -> None:
    views = {"image": items(EYE, "image"), "text": items(EYE, "text")}
    few = PairSource("image", "text", np.arange(pairs), np.arange(pairs))
    with pytest.raises(IsthmusError, match=r"0 true pairs of image and text with weight|at least 2 .* got 1"):
        fit_codes(views, [few], codes=2)
