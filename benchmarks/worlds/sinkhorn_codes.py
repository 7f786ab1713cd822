"""A training-free baseline: clusters of each modality's tokens, matched with words by co-occurrence.

A cluster and a word co-occur if the cluster is used in an item and the word in its caption. Sinkhorn's iteration turns
the counts into a plan in which all clusters have equal weight and all words have equal weight, so neither a frequent
word nor a cluster of silence, which co-occurs with every word, dominates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from isthmus.codes.reading.use import use_of_items
from isthmus.embeddings.tokens import Tokens
from isthmus.training.k_means import k_means, nearest

CLUSTERS, ROUNDS = 96, 100
START_TOKENS = 50_000


@dataclass(frozen=True)
class Clusters:
    """Cluster centres of one modality's standardised tokens, and each cluster's distribution over words."""

    mean: Float[np.ndarray, " dim"]
    deviation: Float[np.ndarray, " dim"]
    centres: Float[np.ndarray, "clusters dim"]
    words: Float[np.ndarray, "clusters words"]

    def assign(self, vectors: Float[np.ndarray, "tokens dim"]) -> Int[np.ndarray, " tokens"]:
        """The nearest cluster of each token."""
        standard = torch.from_numpy((vectors - self.mean) / self.deviation)
        return nearest(standard, torch.from_numpy(self.centres)).numpy()


@dataclass(frozen=True)
class SinkhornCodes:
    """Assigns words to tokens of several modalities, each by its own clusters."""

    clusters: Mapping[str, Clusters]

    def token_codes(self, tokens: Tokens) -> Float[np.ndarray, "tokens words"]:
        """Logarithms of each token's distribution over the words."""
        own = self.clusters[tokens.modality]
        return np.log(own.words[own.assign(tokens.vectors)] + 1e-9)


def sinkhorn_clusters(
    tokens: Tokens, word_uses: Float[np.ndarray, "items words"], count: int = CLUSTERS, seed: int = 0
) -> Clusters:
    """Clusters of a modality with their words; row i of ``word_uses`` is the word distribution of item i's caption."""
    draw = torch.Generator().manual_seed(seed)
    vectors = tokens.vectors
    mean, deviation = vectors.mean(0), vectors.std(0) + 1e-6
    picked = np.sort(torch.randperm(len(vectors), generator=draw)[:START_TOKENS].numpy())
    centres = k_means(torch.from_numpy((vectors[picked] - mean) / deviation), count, draw).numpy()
    found = Clusters(mean, deviation, centres, np.empty((count, 0), np.float32))
    together = use_of_items(found.assign(vectors), tokens.offsets, count).T @ word_uses
    return Clusters(mean, deviation, centres, sinkhorn(together))


def sinkhorn(together: Float[np.ndarray, "clusters words"]) -> Float[np.ndarray, "clusters words"]:
    """Each cluster's distribution over words in the plan with equal weights of clusters and of words."""
    clusters, words = together.shape
    plan = together + 1e-12
    for _ in range(ROUNDS):
        plan = plan * (words / clusters / plan.sum(0))
        plan = plan / plan.sum(1, keepdims=True)
    return plan
