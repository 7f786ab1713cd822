"""Streams: events where they are said to be, and tokens in the right second."""

import numpy as np

from isthmus.worlds.digits.digits_world import DigitsWorld
from worlds.streams import BACKGROUND, SEGMENTS, Timeline, audio_streams, image_streams


def test_events_have_onset_and_offset_and_do_not_overlap() -> None:
    events = Timeline.drawn(200, 3, 0.0, np.random.default_rng(0))
    kinds = []
    for row in events.labels:
        shown = [label for label in row.tolist() if label != BACKGROUND]
        runs = 1 + np.flatnonzero(np.diff(row)).size
        assert runs <= 2 * len(set(shown)) + 1
        kinds.append(len(set(shown)))
    assert set(kinds) == {1, 2, 3}
    assert ((Timeline.drawn(50, 1, 0.0, np.random.default_rng(1)).labels >= 0).sum(1) >= 1).all()


def test_tokens_are_those_of_the_second_they_lie_in(digits: DigitsWorld) -> None:
    labels = np.full((3, SEGMENTS), BACKGROUND)
    labels[0, 4], labels[1, 0:2], labels[2, 9] = 7, 3, 1
    events = Timeline(labels, 0.0)
    for made in (image_streams, audio_streams):
        streams = made(digits, events, "dev", np.random.default_rng(0))
        segment = streams.segments()
        assert len(streams.tokens) == 3
        vectors = streams.tokens.vectors
        # Where nothing is shown all tokens of a picture are alike; in sound, neighbours of an event hear it too.
        empty = vectors[segment == 7]
        shown = vectors[segment == 4]
        assert np.abs(shown - empty.mean(0)).max() > 5 * np.abs(empty - empty.mean(0)).std()
        seconds = streams.tokens.places[: streams.tokens.counts[0]]
        np.testing.assert_array_equal(segment[: len(seconds)], np.minimum(seconds.mean(1).astype(int), 9))


def test_clutter_fills_background_only_where_asked(digits: DigitsWorld) -> None:
    events = Timeline(np.full((4, SEGMENTS), BACKGROUND), 0.0)
    empty = image_streams(digits, events, "dev", np.random.default_rng(0)).tokens.vectors.reshape(40, 42, -1)
    full = Timeline(events.labels, 1.0)
    cluttered = image_streams(digits, full, "dev", np.random.default_rng(0)).tokens.vectors.reshape(40, 42, -1)
    assert np.allclose(empty, empty[:1])
    assert (np.abs(cluttered - empty).max((1, 2)) > 0.1).all()
