"""Completion: the noise is as strong as the paper says, fresh at every draw, and repeatable from its generator."""

import math

import pytest
import torch
from torch.nn import functional

from isthmus.connectors.pseudo.counterparts import complete


def rows(count: int, dim: int) -> torch.Tensor:
    return functional.normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(0)), dim=-1)


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_papers_noise_leaves_a_mean_cosine_of_057_in_512_dimensions() -> None:
    original = rows(2000, 512)
    completed = complete(original, 0.004, draw(1))
    cosine = (original * completed).sum(-1).mean().item()
    assert cosine == pytest.approx(1 / math.sqrt(1 + 512 * 0.004), abs=0.005)
    assert cosine == pytest.approx(0.57, abs=0.01)
    torch.testing.assert_close(completed.norm(dim=-1), torch.ones(2000))


def test_every_step_draws_fresh_noise_and_a_seed_repeats_it() -> None:
    original, generator = rows(10, 16), draw(2)
    first, second = complete(original, 0.004, generator), complete(original, 0.004, generator)
    assert not torch.allclose(first, second)
    assert torch.equal(first, complete(original, 0.004, draw(2)))


def test_without_noise_rows_stay_as_they_are_and_the_input_is_never_changed() -> None:
    original = rows(10, 16)
    before = original.clone()
    torch.testing.assert_close(complete(original, 0.0, draw(3)), original)
    complete(original, 0.1, draw(3))
    assert torch.equal(original, before)
