"""Cross-modal generalisation: a head taught on one modality's quantised features of streams, tried on another's.

Two tasks (papers B, the benchmark's): which event a stream shows, by a linear layer, the maximum over time and another
linear layer; and what each segment shows, by one linear layer. `HELD_OUT` keeps train, dev and test apart. `PUBLIC` is
what the benchmark's public code does, for comparison with figures published from it: events are scored on the training
streams themselves, and the epoch is the one that does best where it is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

Protocol = Literal["held-out", "public"]
HELD_OUT: Protocol = "held-out"
PUBLIC: Protocol = "public"
HIDDEN, EPOCHS, LEARNING_RATE = 64, 150, 1e-2
SURE = 0.5
"""Probability from which a segment is said to show a class."""


@dataclass(frozen=True)
class Segments:
    """Features of the segments of streams, and what each shows: a class, or -1 for background.

    A segment's features are how its tokens spread over the codes. A linear layer over them is one over mean code
    vectors, which are linear in them too.
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
        """From the codes of all tokens; ``segment`` is the segment each lies in, numbered over all streams."""
        uses = np.bincount(segment * size + codes, minlength=labels.size * size).reshape(labels.size, size)
        shares = uses / np.maximum(uses.sum(1, keepdims=True), 1)
        return cls(shares.reshape(*labels.shape, size).astype(np.float32), labels)

    def standardised(self, reference: Segments) -> Segments:
        """Each code's share in units of its spread over a reference's segments.

        Modalities differ in how much of a segment an event fills; with its own modality as reference, which needs no
        labels, the same event weighs the same in each.
        """
        flat = _flat(reference)
        return replace(self, features=(self.features - flat.mean(0)) / (flat.std(0) + 1e-3))

    def events(self) -> Int[np.ndarray, " streams"]:
        """The one event of each stream."""
        return self.labels.max(1)


@dataclass(frozen=True)
class Localised:
    """Of segments said to show a class: micro precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f1: float


class EventHead(nn.Module):
    """Linear, maximum over time, linear."""

    def __init__(self, codes: int, classes: int) -> None:
        super().__init__()
        self.each, self.whole = nn.Linear(codes, HIDDEN), nn.Linear(HIDDEN, classes)

    def forward(self, features: Float[Tensor, "streams segments codes"]) -> Float[Tensor, "streams classes"]:
        """Scores of the classes."""
        found: Tensor = self.whole(self.each(features).amax(1))
        return found


def classify(
    teacher: Mapping[str, Segments], student: Mapping[str, Segments], classes: int, protocol: Protocol, seed: int = 0
) -> float:
    """Accuracy of events on the student's streams of a head taught on the teacher's.

    Both map split to segments; held-out uses train and dev of the teacher and test of the student, public the train
    split of both, streams of the same events.
    """
    known, judged = teacher["train"], student["test" if protocol == HELD_OUT else "train"]
    chosen_on = teacher["dev"] if protocol == HELD_OUT else judged
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = EventHead(known.features.shape[2], classes)
    optimizer = torch.optim.Adam(head.parameters(), LEARNING_RATE)
    features, labels = torch.from_numpy(known.features), torch.from_numpy(known.events())
    best = found = -1.0
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        functional.cross_entropy(head(features), labels).backward()
        optimizer.step()
        reached = _accuracy(head, chosen_on)
        if reached > best:
            best, found = reached, _accuracy(head, judged)
    return found


@torch.no_grad()
def _accuracy(head: EventHead, asked: Segments) -> float:
    guessed = head(torch.from_numpy(asked.features)).argmax(1).numpy()
    return float((guessed == asked.events()).mean())


def localise(taught: Segments, asked: Segments) -> Localised:
    """What each segment shows, by a linear classifier that knows background as a class of its own."""
    from sklearn.linear_model import LogisticRegression

    head = LogisticRegression(C=10.0, max_iter=2000).fit(_flat(taught), taught.labels.ravel())
    sure = head.predict_proba(_flat(asked))
    guessed = np.where(sure.max(1) >= SURE, head.classes_[sure.argmax(1)], -1)
    truth = asked.labels.ravel()
    right = float(((guessed == truth) & (truth >= 0)).sum())
    precision, recall = right / max((guessed >= 0).sum(), 1), right / max((truth >= 0).sum(), 1)
    return Localised(precision, recall, 2 * precision * recall / max(precision + recall, 1e-12))


def _flat(segments: Segments) -> Float[np.ndarray, "all_segments codes"]:
    return segments.features.reshape(-1, segments.features.shape[2])
