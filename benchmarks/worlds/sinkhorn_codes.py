"""A gradient-free baseline: clusters of each modality's tokens, matched with words by how often they occur together.

A cluster and a word occur together where the cluster is used in an item and the word in its caption. Sinkhorn's
iteration turns the counts into a plan in which all clusters weigh the same and so do all words: neither a word named
often nor a cluster of silence, which occurs with everything, then counts for more than the others.
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
    """Writes tokens of several modalities as words, each modality by its own clusters."""

    clusters: Mapping[str, Clusters]

    def token_codes(self, tokens: Tokens) -> Float[np.ndarray, "tokens words"]:
        """Logarithms of each token's distribution over the words."""
        own = self.clusters[tokens.modality]
        return np.log(own.words[own.assign(tokens.vectors)] + 1e-9)


def sinkhorn_clusters(
    tokens: Tokens, word_uses: Float[np.ndarray, "items words"], count: int = CLUSTERS, seed: int = 0
) -> Clusters:
    """Clusters of a modality, and their words; row i of ``word_uses`` says how item i's caption spreads over words."""
    draw = torch.Generator().manual_seed(seed)
    vectors = tokens.vectors
    mean, deviation = vectors.mean(0), vectors.std(0) + 1e-6
    picked = np.sort(torch.randperm(len(vectors), generator=draw)[:START_TOKENS].numpy())
    centres = k_means(torch.from_numpy((vectors[picked] - mean) / deviation), count, draw).numpy()
    found = Clusters(mean, deviation, centres, np.empty((count, 0), np.float32))
    together = use_of_items(found.assign(vectors), tokens.offsets, count).T @ word_uses
    return Clusters(mean, deviation, centres, sinkhorn(together))


def sinkhorn(together: Float[np.ndarray, "clusters words"]) -> Float[np.ndarray, "clusters words"]:
    """Each cluster's distribution over words, of the plan in which all clusters and all words weigh the same."""
    clusters, words = together.shape
    plan = together + 1e-12
    for _ in range(ROUNDS):
        plan = plan * (words / clusters / plan.sum(0))
        plan = plan / plan.sum(1, keepdims=True)
    return plan
