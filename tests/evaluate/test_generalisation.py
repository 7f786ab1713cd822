"""Generalisation over streams whose right answers are known: heads, protocols, micro precision."""

import numpy as np
import pytest

from isthmus.evaluate.generalisation import HELD_OUT, PUBLIC, Segments, event_accuracy, segment_scores

CLASSES, SIZE, BACKGROUND_CODE = 3, 5, 4


def written(streams: int, seed: int, wrong: float = 0.0) -> Segments:
    """Code c in the seconds that show class c, code 4 elsewhere; a share of the codes is any code at all."""
    rng = np.random.default_rng(seed)
    labels = np.full((streams, 6), -1)
    labels[np.arange(streams), rng.integers(0, 6, streams)] = rng.integers(0, CLASSES, streams)
    codes = np.repeat(np.where(labels < 0, BACKGROUND_CODE, labels).ravel(), 4)
    codes = np.where(rng.random(len(codes)) < wrong, rng.integers(0, SIZE, len(codes)), codes)
    return Segments.of(codes, SIZE, np.repeat(np.arange(labels.size), 4), labels)


def splits(seed: int, wrong: float = 0.0) -> dict[str, Segments]:
    return {name: written(80, 10 * seed + n, wrong) for n, name in enumerate(("train", "dev", "test"))}


def test_segments_are_shares_of_codes() -> None:
    labels = np.array([[0, -1]])
    found = Segments.of(np.array([1, 1, 2, 0]), 3, np.array([0, 0, 0, 1]), labels)
    np.testing.assert_allclose(found.features, [[[0, 2 / 3, 1 / 3], [1, 0, 0]]], rtol=1e-6)


def test_standardising_takes_out_how_much_an_event_fills() -> None:
    sparse = written(80, 0)
    dense = Segments(sparse.features * 3 + 1, sparse.labels)
    ours, theirs = (own.standardised(own).features for own in (sparse, dense))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_events_are_recognised_where_codes_are_shared_and_not_where_they_are_not() -> None:
    teacher, student = splits(0), splits(1)
    assert event_accuracy(teacher, student, CLASSES, HELD_OUT) == 1.0
    turned = {n: Segments(own.features[:, :, [1, 2, 0, 3, 4]], own.labels) for n, own in student.items()}
    assert event_accuracy(teacher, turned, CLASSES, HELD_OUT) < 0.2


def test_the_public_protocol_scores_training_streams_with_the_epoch_chosen_there() -> None:
    teacher, student = splits(0, 0.75), splits(1, 0.75)
    spoiled = {**student, "test": Segments(np.zeros_like(student["test"].features), student["test"].labels)}
    assert event_accuracy(teacher, teacher, CLASSES, PUBLIC) > event_accuracy(teacher, teacher, CLASSES, HELD_OUT)
    assert event_accuracy(teacher, spoiled, CLASSES, PUBLIC) == event_accuracy(teacher, student, CLASSES, PUBLIC)


def test_localisation_counts_sure_segments_only() -> None:
    taught, asked = written(80, 0), written(80, 1)
    assert segment_scores(taught, asked).f1 == pytest.approx(1.0)
    hidden = asked.features.copy()
    lost = np.flatnonzero((asked.labels >= 0).any(1))[:20]
    hidden[lost] = np.eye(SIZE)[BACKGROUND_CODE]
    found = segment_scores(taught, Segments(hidden, asked.labels))
    assert (found.precision, found.recall) == (pytest.approx(1.0), pytest.approx(60 / 80))
    assert found.f1 == pytest.approx(2 * 0.75 / 1.75)
