"""Labels of segments and their precision against loops over seconds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from isthmus.metrics import Event, segment_counts, segment_labels

EVENTS = st.lists(
    st.builds(Event, st.integers(0, 2), st.floats(-2, 12).map(lambda at: round(at, 1)), st.floats(-2, 12)), max_size=5
)


@given(EVENTS)
def test_a_segment_has_the_classes_of_the_events_that_touch_it(events: list[Event]) -> None:
    labels = segment_labels(events, segments=10, classes=3)
    for second in range(10):
        for label in range(3):
            touches = any(
                own == label and start < end and start < second + 1 and end > second for own, start, end in events
            )
            assert labels[second, label] == touches


@given(st.integers(0, 2**32 - 1))
def test_precision_recall_and_f1_are_micro_averages(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items = [(draw.random((10, 4)) < 0.3, draw.random((10, 4)) < 0.3) for _ in range(3)]
    counts = sum((segment_counts(*item) for item in items[1:]), segment_counts(*items[0]))
    predicted, true = (np.concatenate(side).ravel() for side in zip(*items, strict=True))
    assert counts.precision == pytest.approx(precision_score(true, predicted, zero_division=0))
    assert counts.recall == pytest.approx(recall_score(true, predicted, zero_division=0))
    assert counts.f1 == pytest.approx(f1_score(true, predicted, zero_division=0))


def test_background_alone_scores_nothing() -> None:
    nothing = np.zeros((10, 3), dtype=bool)
    counts = segment_counts(nothing, nothing)
    assert (counts.precision, counts.recall, counts.f1) == (0.0, 0.0, 0.0)
