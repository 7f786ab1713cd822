"""Rows with the structure of real embeddings, at any scale, for the speed benchmarks.

Topics have Zipf-like popularity and power-law spectra; the two modalities of a space share part of each topic, have
private parts, and are a gap of 0.8 apart. Text-item cosines then have the mean (.17), spread (.05) and nearest
neighbours (about .35) of CLIP's, and a softmax at temperature 0.01 has a few hundred effective neighbours of a million.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

DIM = 512
TOPICS = 5000
GAP, MEAN_COSINE = 0.8, 0.17
TOPIC_SHARE, SHARED_SHARE = 0.5, 0.35
"""Share of a row that is its topic's, and share of that which both modalities show."""
POPULARITY = 0.7
DECAY = 0.5


@dataclass(frozen=True)
class Content:
    """The content of rows: topics and vectors."""

    topic: Int[Tensor, " n"]
    vector: Float[Tensor, "n dim"]


class Contents:
    """Topics of Zipf-like popularity, and random contents of them."""

    def __init__(self, seed: int) -> None:
        self.topics = torch.randn(TOPICS, DIM, generator=torch.Generator().manual_seed(seed))
        popularity = torch.arange(1, TOPICS + 1).float() ** -POPULARITY
        self.popularity = popularity / popularity.sum()

    def draw(self, count: int, draw: torch.Generator) -> Content:
        """Contents of ``count`` rows."""
        topic = torch.multinomial(self.popularity, count, replacement=True, generator=draw)
        return Content(topic, in_topic(self.topics[topic], draw))


class Space:
    """One contrastive space: maps contents to texts or items. Two spaces can map the same contents."""

    def __init__(self, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        spectrum = torch.arange(1, DIM + 1).float() ** -DECAY
        spectrum = spectrum / spectrum.norm()

        def basis() -> Tensor:
            return torch.linalg.qr(torch.randn(DIM, DIM, generator=draw))[0] * spectrum[:, None]

        self.bases = {name: basis() for name in ("shared", "text", "item")}
        self.own_topics = {name: torch.randn(TOPICS, DIM, generator=draw) for name in ("text", "item")}
        away = (GAP**2 + 2 * MEAN_COSINE) / 2
        first, second = torch.linalg.qr(torch.randn(DIM, 2, generator=draw))[0].T
        cosine = MEAN_COSINE / away
        self.offset = math.sqrt(away)
        self.means = {"text": first, "item": cosine * first + math.sqrt(1 - cosine**2) * second}

    def rows(self, content: Content, modality: str, draw: torch.Generator) -> Float[Tensor, "n dim"]:
        """Unit rows of contents in one modality, partly shared with the other modality, partly private."""
        alike = content.vector @ self.bases["shared"]
        own = in_topic(self.own_topics[modality][content.topic], draw) @ self.bases[modality]
        unit = functional.normalize(math.sqrt(SHARED_SHARE) * alike + math.sqrt(1 - SHARED_SHARE) * own, dim=-1)
        return functional.normalize(self.offset * self.means[modality] + math.sqrt(1 - self.offset**2) * unit, dim=-1)


def in_topic(topics: Float[Tensor, "n dim"], draw: torch.Generator) -> Float[Tensor, "n dim"]:
    """Vectors that are partly their topic's."""
    own = torch.randn(topics.shape, generator=draw)
    return math.sqrt(TOPIC_SHARE) * topics + math.sqrt(1 - TOPIC_SHARE) * own
