"""The codebook's step against a loop, its revival, and that evaluation leaves it alone."""

import numpy as np
import pytest
import torch

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.codebook import Codebook, straight_through

CODES, DIM, TOKENS, DECAY = 4, 3, 20, 0.9


def book(seed: int = 0, revive_after: int = 100) -> Codebook:
    made = Codebook(CODES, DIM, decay=DECAY, revive_after=revive_after)
    made.start_normal(generator(seed))
    return made.train()


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tokens(seed: int = 5, rows: int = TOKENS) -> torch.Tensor:
    return torch.randn(rows, DIM, generator=generator(seed))


def test_assignment_is_the_nearest_code() -> None:
    made, given = book(), tokens()
    expected = [
        int(np.argmin([np.linalg.norm(token - code) for code in made.vectors.numpy()])) for token in given.numpy()
    ]
    assert made.assign(given).tolist() == expected


def test_updates_are_the_papers_moving_averages() -> None:
    made = book()
    counts, sums = np.ones(CODES), made.vectors.double().numpy().copy()
    for step in range(3):
        given = tokens(step)
        chosen = made.assign(given)
        made.update(made.gathered(given, chosen), generator(0))
        for code in range(CODES):
            own = [token for token, pick in zip(given.double().numpy(), chosen.tolist(), strict=True) if pick == code]
            counts[code] = DECAY * counts[code] + (1 - DECAY) * len(own)
            sums[code] = DECAY * sums[code] + (1 - DECAY) * np.sum(own, axis=0, initial=0)
    np.testing.assert_allclose(made.counts.numpy(), counts, rtol=1e-5)
    np.testing.assert_allclose(made.vectors.numpy(), sums / counts[:, None], rtol=1e-4, atol=1e-6)


def test_evaluation_never_moves_a_code() -> None:
    made = book().eval()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    made.update(made.gathered(tokens(), made.assign(tokens())), generator(0))
    assert all(torch.equal(before[name], tensor) for name, tensor in made.state_dict().items())


def test_an_idle_code_restarts_next_to_an_active_one_and_stays_there() -> None:
    made = book(revive_after=3)
    made.vectors[0] = made.sums[0] = 100.0
    given = tokens()
    for _ in range(3):
        made.update(made.gathered(given, made.assign(given)), generator(1))
    others = (made.vectors[1:] - made.vectors[0]).norm(dim=1)
    assert others.min() < 0.1
    torch.testing.assert_close(made.sums[0], made.vectors[0] * made.counts[0])
    assert made.idle[0] == 0
    made.update(made.gathered(given, made.assign(given)), generator(1))
    assert made.vectors[0].norm() < 10


def test_k_means_start_puts_every_code_at_the_mean_of_its_tokens() -> None:
    centres = torch.eye(CODES, DIM) * 10 + torch.tensor([0.0, 0.0, 5.0])
    given = centres.repeat(50, 1) + 0.01 * tokens(rows=200)
    made = Codebook(CODES, DIM)
    made.start_from(given, generator(3))
    chosen = made.assign(given)
    for code in chosen.unique():
        torch.testing.assert_close(made.vectors[code], given[chosen == code].mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made.sums, made.vectors)


def test_straight_through_has_the_codes_value_and_the_tokens_gradient() -> None:
    given, chosen = tokens().requires_grad_(), tokens(6).requires_grad_()
    passed = straight_through(given, chosen)
    torch.testing.assert_close(passed, chosen)
    passed.sum().backward()
    assert given.grad is not None
    assert torch.equal(given.grad, torch.ones_like(given))
    assert chosen.grad is None


@pytest.mark.parametrize("rows", [1, 7])
def test_codes_without_tokens_stay_where_they_are(rows: int) -> None:
    made = book()
    given = made.vectors[:1].repeat(rows, 1)
    before = made.vectors.clone()
    made.update(made.gathered(given, made.assign(given)), generator(0))
    torch.testing.assert_close(made.vectors, before)


def test_a_code_that_was_never_used_stays_where_it_is() -> None:
    book = Codebook(2, 3, decay=0.1, revive_after=10**6)
    start = torch.arange(6.0).reshape(2, 3)
    book.start_from(start, torch.Generator())
    kept = book.vectors.clone()
    seen = torch.zeros(2, 4)
    seen[0] = torch.tensor([1.0, 1.0, 1.0, 1.0])
    for _ in range(400):
        book.update(seen, torch.Generator())
    torch.testing.assert_close(book.vectors[0], torch.ones(3))
    torch.testing.assert_close(book.vectors[1], kept[1], rtol=1e-3, atol=0)


def test_codes_do_not_start_from_tokens_that_are_not_finite() -> None:
    tokens = torch.ones(5, 3)
    tokens[2, 1] = torch.inf
    with pytest.raises(IsthmusError, match="not finite"):
        Codebook(2, 3).start_from(tokens, torch.Generator())
