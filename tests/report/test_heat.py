"""Heat drawn where it is: pixels of the image, bars of the waveform."""

import base64
import io
import re

import numpy as np
from PIL import Image

from isthmus.report import heat_image, heat_waveform
from isthmus.report.heat import ENLARGED, THICK


def test_an_image_is_warm_at_the_hot_token_and_framed_at_the_region_found() -> None:
    pixels = np.full((10, 20), 100, np.uint8)
    places = np.array([[0, 0, 5, 10], [5, 0, 10, 10], [10, 0, 15, 10], [15, 0, 20, 10]], np.float32)
    html = heat_image(pixels, places, np.array([0.1, 0.1, 0.9, 0.1]), np.array([9.0, 2.0, 16.0, 9.0]), "a <dog>")
    assert "a &lt;dog&gt;" in html
    stored = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    drawn = np.asarray(Image.open(io.BytesIO(stored)))
    assert drawn.shape == (10 * ENLARGED, 20 * ENLARGED, 3)
    middle = drawn[5 * ENLARGED, 12 * ENLARGED]
    np.testing.assert_array_equal(drawn[5 * ENLARGED, 2 * ENLARGED], [100, 100, 100])
    assert middle[0] > 200 > middle[1] > middle[2]
    np.testing.assert_array_equal(drawn[2 * ENLARGED, 12 * ENLARGED], [255, 255, 255])
    np.testing.assert_array_equal(drawn[5 * ENLARGED, 9 * ENLARGED], [255, 255, 255])


def test_a_waveform_has_its_hot_bars_and_its_frame_at_the_right_time() -> None:
    samples = np.sin(np.arange(8000)).astype(np.float32)
    places = np.stack([np.arange(4) / 4, (np.arange(4) + 1) / 4], axis=1).astype(np.float32)
    html = heat_waveform(samples, 8000, places, np.array([0.0, 0.0, 1.0, 0.0]), np.array([0.5, 0.75]), "a word")
    warm = [float(own) for own in re.findall(r"fill-opacity=\"([0-9.]+)\"", html)]
    hot = np.flatnonzero(np.array(warm) > 0.9) / len(warm)
    assert (hot.min(), hot.max() + 1 / len(warm)) == (0.5, 0.75)
    left, width = map(float, re.search(r'<rect x="([0-9.]+)" y="1" width="([0-9.]+)"', html).groups())
    assert (left, width) == (240.0, 120.0)


def test_a_colour_image_keeps_its_colours_where_it_is_cold_and_frames_the_truth_thinly() -> None:
    pixels = np.broadcast_to(np.array([200, 40, 90], np.uint8), (20, 20, 3)).copy()
    places = np.array([[0, 0, 10, 20], [10, 0, 20, 20]], np.float32)
    truth = np.array([[2.0, 2.0, 8.0, 8.0]])
    found = np.array([10.0, 4.0, 18.0, 16.0])
    html = heat_image(pixels, places, np.array([0.0, 1.0]), found, "a scene", truth)
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]))))
    np.testing.assert_array_equal(drawn[1, 1], [200, 40, 90])
    white = (drawn == 255).all(2)
    assert white[5 * ENLARGED].nonzero()[0].tolist()[:2] == [2 * ENLARGED, 8 * ENLARGED - 1]
    assert white[10 * ENLARGED].sum() == 2 * THICK


def test_words_are_below_the_seconds_in_which_they_are_said() -> None:
    samples, places = np.ones(8000, np.float32), np.array([[0.0, 1.0]], np.float32)
    words = [("<dog>", 0.25, 0.5), ("then", 0.5, 0.75)]
    html = heat_waveform(samples, 8000, places, np.ones(1), np.array([0.0, 1.0]), "a sentence", words)
    lines = re.findall(r'<rect x="([0-9.]+)" y="[0-9]+" width="([0-9.]+)" height="2" class="word"/>', html)
    assert [tuple(map(float, own)) for own in lines] == [(120, 120), (240, 120)]
    shown = re.findall(r'<text x="([0-9.]+)" y="[0-9]+">([^<]+)</text>', html)
    assert shown == [("180.0", "&lt;dog&gt;"), ("300.0", "then")]
