"""The losses of CMCM against loops in float64, and their gradients against finite differences."""

import numpy as np
import pytest
import torch

from isthmus.codes.learning.losses import code_matching, code_similarity, commitment, masked_margin_softmax
from isthmus.codes.model.distribution import (
    floored,
    log_code_distribution,
    log_mean_distribution,
    log_plain_code_distribution,
    squared_distances,
)

BATCH, TOKENS, CODES, DIM = 4, 5, 6, 3
MARGIN = 0.1


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


COUNTS = torch.tensor([5, 1, 3, 4])
ITEM = torch.repeat_interleave(torch.arange(BATCH), COUNTS)


def looped_distribution(tokens: np.ndarray, codes: np.ndarray, power: int) -> np.ndarray:
    found = np.zeros((len(tokens), len(codes)))
    for row, token in enumerate(tokens):
        weights = [np.exp(-(np.sqrt(((token - code) ** 2).sum()) ** power)) for code in codes]
        found[row] = np.array(weights) / sum(weights)
    return found


def looped_similarity(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    found = np.zeros((len(left), len(right)))
    for i, p in enumerate(left):
        for j, q in enumerate(right):
            found[i, j] = sum(p[v] * np.log(q[v]) + q[v] * np.log(p[v]) for v in range(len(p)))
    return found


def looped_margin_softmax(left: np.ndarray, right: np.ndarray) -> float:
    total = 0.0
    for asking, answering in ((left, right), (right, left)):
        for i in range(BATCH):
            own = np.exp(asking[i] @ answering[i] - MARGIN)
            others = sum(np.exp(asking[i] @ answering[j]) for j in range(BATCH) if j != i)
            total -= np.log(own / (own + others)) / BATCH
    return total


@pytest.mark.parametrize(("power", "log_distribution"), [(2, log_code_distribution), (1, log_plain_code_distribution)])
def test_code_distribution_is_the_softmax_of_negative_distances(power: int, log_distribution) -> None:
    tokens, codes = drawn(TOKENS, DIM), drawn(CODES, DIM, seed=1)
    expected = looped_distribution(tokens.numpy(), codes.numpy(), power)
    found = log_distribution(squared_distances(tokens, codes)).exp()
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_an_items_distribution_is_the_mean_over_its_tokens() -> None:
    log_each = log_code_distribution(squared_distances(drawn(len(ITEM), DIM), drawn(CODES, DIM, seed=1)))
    expected = [np.mean(log_each[item == ITEM].exp().numpy(), axis=0) for item in range(BATCH)]
    found = log_mean_distribution(log_each, ITEM, COUNTS)
    np.testing.assert_allclose(found.exp().numpy(), expected, rtol=1e-9)


def test_log_distributions_hold_where_probabilities_underflow() -> None:
    squared = torch.tensor([[0.0, 1600.0]], dtype=torch.float64)
    one = torch.zeros(1, dtype=torch.long)
    whole = log_mean_distribution(log_code_distribution(squared), one, one + 1)
    assert whole[0, 1].item() == pytest.approx(-1600)
    assert floored(whole)[0, 1].item() == pytest.approx(np.log(1e-7), rel=1e-6)


def test_code_similarity_and_matching_are_the_papers_sums() -> None:
    left = drawn(BATCH, CODES).log_softmax(1)
    right = drawn(BATCH, CODES, seed=1).log_softmax(1)
    scores = looped_similarity(left.exp().numpy(), right.exp().numpy())
    np.testing.assert_allclose(code_similarity(left, right).numpy(), scores, rtol=1e-9)
    assert (scores <= 0).all()
    expected = -np.mean([np.log(np.exp(scores[i, i]) / np.exp(scores[i]).sum()) for i in range(BATCH)])
    assert code_matching(left, right).item() == pytest.approx(expected, rel=1e-9)


def test_margin_softmax_is_the_papers_sum() -> None:
    left, right = drawn(BATCH, DIM), drawn(BATCH, DIM, seed=1)
    expected = looped_margin_softmax(left.numpy(), right.numpy())
    assert masked_margin_softmax(left, right, MARGIN).item() == pytest.approx(expected, rel=1e-9)


def test_commitment_is_the_mean_squared_distance_to_the_chosen_codes() -> None:
    tokens, codes, chosen = (
        drawn(TOKENS, DIM).requires_grad_(),
        drawn(CODES, DIM, seed=1),
        torch.tensor([3, 0, 5, 3, 1]),
    )
    loss = commitment(squared_distances(tokens, codes), chosen)
    pairs = zip(tokens.detach().numpy(), codes[chosen].numpy(), strict=True)
    assert loss.item() == pytest.approx(np.mean([sum((t - c) ** 2) for t, c in pairs]), rel=1e-9)
    loss.backward()
    assert tokens.grad is not None
    np.testing.assert_allclose(tokens.grad.numpy(), 2 * (tokens - codes[chosen]).detach().numpy() / TOKENS, rtol=1e-9)


def test_gradients_agree_with_finite_differences() -> None:
    codes = drawn(CODES, DIM, seed=3)

    def whole(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        seen = [
            log_mean_distribution(distribution(squared_distances(side, codes)), ITEM, COUNTS)
            for distribution, side in ((log_code_distribution, left), (log_plain_code_distribution, right))
        ]
        return code_matching(*seen) + masked_margin_softmax(left[:BATCH], right[:BATCH], MARGIN)

    sides = [drawn(len(ITEM), DIM, seed=seed).requires_grad_() for seed in (1, 2)]
    assert torch.autograd.gradcheck(whole, sides)
