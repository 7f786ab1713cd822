"""Cross-modal generalisation: a classifier of one modality's quantised streams, tested on another modality's streams.

Two tasks (papers B, the benchmark's): which event a stream shows, by a linear layer, the maximum over time and another
linear layer; and what each segment shows, by one linear layer. `HELD_OUT` keeps train, dev and test apart. `PUBLIC`
follows the benchmark's public code, for comparison with figures published from it: events are scored on the training
streams, at the epoch that does best on the streams it is scored on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from isthmus.metrics.segments import SegmentCounts, segment_counts

Protocol = Literal["held-out", "public"]
HELD_OUT: Protocol = "held-out"
PUBLIC: Protocol = "public"
HIDDEN, EPOCHS, LEARNING_RATE = 64, 150, 1e-2
THRESHOLD = 0.5
"""Least probability at which a segment is assigned a class."""


@dataclass(frozen=True)
class Segments:
    """Features of the segments of streams, and what each shows: a class, or -1 for background.

    A segment's features are the distribution of its tokens over the codes. A linear layer on them equals one on the
    segment's mean code vector, which is linear in them.
    """

    features: Float[np.ndarray, "streams segments codes"]
    labels: Int[np.ndarray, "streams segments"]

    @classmethod
    def of(
        cls,
        codes: Int[np.ndarray, " tokens"],
        size: int,
        segment: Int[np.ndarray, " tokens"],
        labels: Int[np.ndarray, "streams segments"],
    ) -> Segments:
        """Segments of the codes of all tokens; ``segment`` is each token's segment, numbered over all streams."""
        uses = np.bincount(segment * size + codes, minlength=labels.size * size).reshape(labels.size, size)
        shares = uses / np.maximum(uses.sum(1, keepdims=True), 1)
        return cls(shares.reshape(*labels.shape, size).astype(np.float32), labels)

    def standardised(self, reference: Segments) -> Segments:
        """Features standardised by the mean and deviation of a reference's segments.

        Modalities differ in how much of a segment an event fills. With its own modality as reference, which needs no
        labels, the same event has the same weight in each.
        """
        flat = _flat(reference)
        return replace(self, features=(self.features - flat.mean(0)) / (flat.std(0) + 1e-3))

    def events(self) -> Int[np.ndarray, " streams"]:
        """The one event of each stream."""
        return self.labels.max(1)


@dataclass(frozen=True)
class SegmentScores:
    """Micro precision, recall and F1 of the segments that are assigned a class."""

    precision: float
    recall: float
    f1: float


class EventHead(nn.Module):
    """Linear, maximum over time, linear."""

    def __init__(self, codes: int, classes: int) -> None:
        super().__init__()
        self.each, self.whole = nn.Linear(codes, HIDDEN), nn.Linear(HIDDEN, classes)

    def forward(self, features: Float[Tensor, "streams segments codes"]) -> Float[Tensor, "streams classes"]:
        """Logits of the classes."""
        logits: Tensor = self.whole(self.each(features).amax(1))
        return logits


def event_accuracy(
    source: Mapping[str, Segments], target: Mapping[str, Segments], classes: int, protocol: Protocol, seed: int = 0
) -> float:
    """Accuracy on the target's events of a classifier trained on the source's.

    Both map split to segments. The held-out protocol uses train and dev of the source and test of the target; the
    public one uses the train split of both, which must be streams of the same events.
    """
    return float(event_hits(source, target, classes, protocol, seed).mean())


def event_hits(
    source: Mapping[str, Segments], target: Mapping[str, Segments], classes: int, protocol: Protocol, seed: int = 0
) -> Bool[np.ndarray, " streams"]:
    """Whether each stream that is scored gets its event; see `event_accuracy`."""
    training, scored = source["train"], target["test" if protocol == HELD_OUT else "train"]
    chosen_on = source["dev"] if protocol == HELD_OUT else scored
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = EventHead(training.features.shape[2], classes)
    optimizer = torch.optim.Adam(head.parameters(), LEARNING_RATE)
    features, labels = torch.from_numpy(training.features), torch.from_numpy(training.events())
    best, hits = -1.0, np.zeros(len(scored.labels), dtype=bool)
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        reached = float(_hits(head, chosen_on).mean())
        if reached > best:
            best, hits = reached, _hits(head, scored)
    return hits


@torch.no_grad()
def _hits(head: EventHead, segments: Segments) -> Bool[np.ndarray, " streams"]:
    predicted = head(torch.from_numpy(segments.features)).argmax(1).numpy()
    return np.asarray(predicted == segments.events())


def segment_scores(source: Segments, target: Segments) -> SegmentScores:
    """Scores on the target's segments of a linear classifier trained on the source's, background being a class."""
    from sklearn.linear_model import LogisticRegression

    head = LogisticRegression(C=10.0, max_iter=2000).fit(_flat(source), source.labels.ravel())
    probabilities = head.predict_proba(_flat(target))
    predicted = np.where(probabilities.max(1) >= THRESHOLD, head.classes_[probabilities.argmax(1)], -1)
    truth = target.labels.ravel()
    right = float(((predicted == truth) & (truth >= 0)).sum())
    precision, recall = right / max((predicted >= 0).sum(), 1), right / max((truth >= 0).sum(), 1)
    return SegmentScores(precision, recall, 2 * precision * recall / max(precision + recall, 1e-12))


def label_counts(
    source: tuple[Float[np.ndarray, "taught segments codes"], Bool[np.ndarray, "taught segments classes"]],
    target: tuple[Float[np.ndarray, "asked segments codes"], Bool[np.ndarray, "asked segments classes"]],
) -> list[SegmentCounts]:
    """Right, predicted and true labels of each of the target's streams, whose segments may show several classes.

    One linear classifier per class is trained on the source's segments; a segment is assigned the classes with a
    probability of at least one half. Classes that the source never or always shows are never predicted.
    """
    from sklearn.linear_model import LogisticRegression

    (taught, shown), (asked, true) = source, target
    flat = taught.reshape(-1, taught.shape[2])
    predicted = np.zeros(true.shape, dtype=bool)
    for label in range(true.shape[2]):
        own = shown[:, :, label].ravel()
        if own.any() and not own.all():
            head = LogisticRegression(C=10.0, max_iter=2000).fit(flat, own)
            sure = head.predict_proba(asked.reshape(-1, asked.shape[2]))[:, 1] >= THRESHOLD
            predicted[:, :, label] = sure.reshape(true.shape[:2])
    return [segment_counts(*both) for both in zip(predicted, true, strict=True)]


def _flat(segments: Segments) -> Float[np.ndarray, "all_segments codes"]:
    return segments.features.reshape(-1, segments.features.shape[2])
