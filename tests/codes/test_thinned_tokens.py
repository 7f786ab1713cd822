"""Items with many tokens: a training step sees evenly spread ones."""

import numpy as np
import torch

from isthmus import Tokens
from isthmus.codes.model.view import TokenBatch, spread


def test_every_part_of_a_long_item_gives_one_token_and_a_short_item_all_of_its() -> None:
    counts = np.array([3, 144, 8, 9, 1])
    for seed in range(20):
        chances = np.random.default_rng(seed).random((5, 8))
        kept = spread(counts, chances)
        first = np.cumsum(counts) - counts
        of_item = np.searchsorted(first, kept, side="right") - 1
        np.testing.assert_array_equal(np.bincount(of_item), [3, 8, 8, 8, 1])
        long = kept[of_item == 1] - first[1]
        np.testing.assert_array_equal(long // 18, np.arange(8))
        np.testing.assert_array_equal(kept[of_item == 0], [0, 1, 2])


def test_every_token_is_seen_equally_often() -> None:
    rng = np.random.default_rng(0)
    seen = np.bincount(np.concatenate([spread(np.array([50]), rng.random((1, 20))) for _ in range(4000)]), minlength=50)
    np.testing.assert_allclose(seen / 4000, 20 / 50, atol=0.035)


def test_a_thinned_batch_holds_the_tokens_of_its_places() -> None:
    counts = np.array([30, 2, 12])
    vectors = np.arange(44, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    tokens = Tokens.from_arrays(
        vectors, offsets, np.zeros((44, 2), np.float32), modality="audio", space="s", unit="seconds"
    )
    chances = np.random.default_rng(1).random((2, 5))
    batch = TokenBatch.of(tokens, np.array([2, 0]), torch.device("cpu"), chances)
    np.testing.assert_array_equal(batch.counts.numpy(), [5, 5])
    kept = spread(np.array([12, 30]), chances)
    expected = np.concatenate([vectors[32:44], vectors[:30]])[kept]
    np.testing.assert_array_equal(batch.vectors.numpy(), expected)
    np.testing.assert_array_equal(batch.item.numpy(), [0] * 5 + [1] * 5)
