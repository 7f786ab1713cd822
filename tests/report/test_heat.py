"""Heat drawn where it is: pixels of the image, bars of the waveform; the cells of the code table."""

import base64
import io
import re

import numpy as np
from PIL import Image

from isthmus.report import CodeEntry, codes_table, heat_image, heat_waveform
from isthmus.report.heat import ENLARGED


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


def test_the_code_table_shows_figures_by_modality_and_leaves_out_what_is_not_used() -> None:
    shown = CodeEntry(
        7, "cats & dogs", 0.5, {"image": (0.75, 0.125), "audio": (0.0, 0.0)}, {"seen": ["<img>"], "heard": []}
    )
    html = codes_table([shown])
    assert "<td>0.75 <small>12.5 %</small></td><td>–</td>" in html
    assert "cats &amp; dogs" in html
    assert '<td class="pieces"><img></td><td class="pieces">–</td>' in html
