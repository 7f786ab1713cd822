"""Heat maps, regions and masks of parts, and the confidence, against interpolation, loops and uniform shares."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.tokens import Tokens
from isthmus.localize import (
    TokenParts,
    WindowParts,
    best_scores,
    confidence,
    localized,
    pair_confidences,
    region,
    touching,
)
from isthmus.localize.windows import covering_squares, multi_scale_windows, overlaps
from isthmus.metrics import corner_boxes, has_area
from isthmus.spaces.preparation.image import grid_boxes


def grid(rows: int, columns: int, width: float, height: float) -> TokenParts:
    places = grid_boxes(np.array([0, 0, width, height], np.float32), rows, columns).astype(np.float64)
    return TokenParts(np.eye(rows * columns), places, (width, height), "pixels")


def test_the_heat_map_of_a_grid_is_its_bilinear_interpolation() -> None:
    parts, heat = grid(5, 7, 70.0, 40.0), np.random.default_rng(0).random(35)
    cells = torch.from_numpy(heat.reshape(1, 1, 5, 7))
    for size in ((40, 70), (224, 224), (11, 3)):
        expected = torch.nn.functional.interpolate(cells, size, mode="bilinear", align_corners=False)[0, 0]
        if size > (5, 7):
            np.testing.assert_allclose(parts.heat_map(heat, size), expected.numpy(), atol=1e-9)
        assert parts.heat_map(heat, size).shape == size


def test_overlapping_squares_agree_where_they_overlap() -> None:
    one = grid(4, 4, 40.0, 40.0)
    shifted = one.places + np.array([20, 0, 20, 0])
    both = TokenParts(np.eye(32), np.concatenate([one.places, shifted]), (60.0, 40.0), "pixels")
    heat = both.places[:, 0] / 60  # the same function of place in both squares
    found = both.heat_map(heat, (40, 60))[:, 5:-5]
    # Half a patch at the edge of a square is its outermost patch alone: off by up to 5 pixels.
    np.testing.assert_allclose(found, np.broadcast_to((np.arange(5, 55) + 0.5 - 5) / 60, (40, 50)), atol=2.5 / 60)


def test_the_heat_map_of_windows_is_the_mean_of_those_that_contain_a_pixel() -> None:
    places = np.array([[0, 0, 8, 6], [2, 1, 6, 5], [4, 0, 8, 3]], float)
    heat = np.array([0.1, 0.9, 0.5])
    found = WindowParts(np.eye(3), places, (8.0, 6.0)).heat_map(heat, (6, 8))
    for y in range(6):
        for x in range(8):
            inside = [h for h, (x0, y0, x1, y1) in zip(heat, places, strict=True) if x0 <= x < x1 and y0 <= y < y1]
            assert found[y, x] == pytest.approx(np.mean(inside))


def test_the_first_region_is_the_one_around_the_peak_and_others_follow() -> None:
    parts = grid(4, 6, 60.0, 40.0)
    heat = np.zeros(24)
    heat[[7, 8]], heat[[10, 16]] = [0.9, 1.0], [0.8, 0.7]
    places, scores = parts.regions(heat, 0.5)
    assert places.tolist() == [[10, 10, 30, 20], [40, 10, 50, 30]]
    assert scores.tolist() == [1.0, 0.8]
    np.testing.assert_array_equal(places[0], region(heat, parts.places, touching(parts.places), 0.5))


def test_windows_like_a_better_one_are_not_regions_of_their_own() -> None:
    places = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [50, 0, 60, 10], [70, 0, 80, 10]], float)
    found, scores = WindowParts(np.eye(5), places, (90.0, 10.0)).regions(np.array([0.8, 1.0, 0.7, 0.1, 0.1]), 0.0)
    assert found[:, 0].tolist() == [1, 20]
    assert scores.tolist() == [1.0, 0.7]


def test_a_mask_is_the_warmer_half_of_tokens_and_the_best_window() -> None:
    tokens = grid(7, 7, 70.0, 70.0)
    heat = np.random.default_rng(0).random(49)
    assert tokens.mask(heat).mean() == pytest.approx(0.5, abs=1e-3)
    windows = WindowParts(np.eye(2), np.array([[0, 0, 80, 40], [20, 10, 60, 30]], float), (80.0, 40.0))
    mask = windows.mask(np.array([0.2, 0.3]), (8, 16))
    assert (np.flatnonzero(mask.any(1))[[0, -1]].tolist(), np.flatnonzero(mask.any(0))[[0, -1]].tolist()) == (
        [2, 5],
        [4, 11],
    )


def test_smoothing_rows_smooths_the_heat() -> None:
    draw = np.random.default_rng(0)
    places = grid_boxes(np.array([0, 0, 30, 30], np.float32), 3, 3)
    vectors = draw.standard_normal((9, 4)).astype(np.float32)
    kind = {"modality": "image", "space": "clip", "unit": "pixels"}
    (parts,) = TokenParts.of(Tokens.from_arrays(vectors, np.array([0, 9]), places, **kind), vectors)
    query = draw.standard_normal(4)
    weights = np.where(np.eye(9, dtype=bool), 1, 0.5 * touching(places))
    np.testing.assert_allclose(
        localized(parts, query).heat, [w @ (vectors @ query) / w.sum() for w in weights], rtol=1e-5
    )
    assert parts.extent == (30, 30)


@pytest.mark.parametrize(("width", "height"), [(90, 90), (160, 90), (90, 300), (91, 90), (1, 5)])
def test_squares_cover_the_picture(width: int, height: int) -> None:
    squares = covering_squares(width, height)
    seen = np.zeros((height, width), bool)
    for left, top, right, bottom in squares:
        assert right - left == bottom - top == min(width, height)
        seen[top:bottom, left:right] = True
    assert seen.all()
    assert len(squares) == -(-max(width, height) // min(width, height))


def test_windows_lie_inside_and_every_box_has_one_like_it() -> None:
    windows = multi_scale_windows(320, 180)
    assert windows[0].tolist() == [0, 0, 320, 180]
    assert (windows[:, :2] >= 0).all()
    assert (windows[:, 2:] <= np.array([320, 180]) + 1e-9).all()
    assert len(windows) == len(np.unique(windows, axis=0)) < 250
    assert len(multi_scale_windows(900, 10)) < 1000
    draw = np.random.default_rng(0)
    for _ in range(200):
        side, shape = draw.uniform(70, 170), draw.uniform(0.6, 1.7)
        wide, tall = min(side * shape**0.5, 320), min(side / shape**0.5, 180)
        left, top = draw.uniform(0, 320 - wide), draw.uniform(0, 180 - tall)
        assert overlaps(np.array([left, top, left + wide, top + tall]), windows).max() > 0.4


def test_most_annotated_boxes_have_a_window_like_them(shared_data: Path) -> None:
    """Of the boxes of VGGSS 87 % have a window with an IoU of at least 0.5, of those of MUSIC 86 %: the ceiling."""
    folder = shared_data / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the benchmarks' annotations are absent")
    vggss = [corner_boxes(row["bbox"][:1], "corners") for row in json.loads((folder / "vggss/vggss.json").read_text())]
    music = [corner_boxes([row["bbox"]], "xywh") for row in json.loads((folder / "music/music_solo.json").read_text())]
    windows = multi_scale_windows(320, 180) / np.array([320, 180, 320, 180])
    for boxes, ceiling in ((vggss[::8], 0.865), (music[::6], 0.859)):
        fits = [overlaps(own[0], windows).max() >= 0.5 for own in boxes if has_area(own).all()]
        assert np.mean(fits) == pytest.approx(ceiling, abs=0.01)


def test_a_share_of_unrelated_queries_reaches_each_confidence() -> None:
    shares = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    reached = []
    for seed in range(10):
        draw = np.random.default_rng(seed)
        known, others = draw.gumbel(size=300), np.sort(draw.gumbel(size=1000))
        found = np.array([confidence(float(score), known) for score in others])
        assert (np.diff(found) >= 0).all()
        reached.append((found[:, None] >= shares).mean(0))
    np.testing.assert_allclose(np.mean(reached, 0), 1 - shares, atol=0.03)


def test_scores_beyond_all_unrelated_ones_do_not_tie() -> None:
    known = np.random.default_rng(0).normal(0.2, 0.02, 30)
    found = [confidence(score, known) for score in (0.25, 0.3, 0.35, 0.1)]
    assert 1 > found[2] > found[1] > found[0] > 0.95
    assert found[3] < 0.01


def test_pairs_are_compared_with_other_queries_and_other_items() -> None:
    draw = np.random.default_rng(0)
    items, queries = draw.normal(0, 0.3, 40), draw.normal(0, 0.3, 50)
    scores = items[:, None] + queries + draw.normal(0, 0.1, (40, 50))
    there = np.array([(n, n) for n in range(40)])
    absent = np.array([(n, n + 1) for n in range(40)])
    scores[there[:, 0], there[:, 1]] += 0.4
    found = [pair_confidences(scores, pairs) for pairs in (there, absent)]
    by_score = [scores[pairs[:, 0], pairs[:, 1]] for pairs in (there, absent)]

    def right(yes: np.ndarray, no: np.ndarray) -> float:
        return float((yes[:, None] > no).mean())

    assert right(*found) > 0.95 > 0.9 > right(*by_score)
    centred = scores - np.median(scores, axis=1)[:, None] - np.median(scores, axis=0)[None]
    one = confidence(float(centred[3, 3]), np.delete(centred[3], 3))
    other = confidence(float(centred[3, 3]), np.delete(centred[:, 3], 3))
    odds = np.log([one / (1 - one), other / (1 - other)]).mean()
    assert found[0][3] == pytest.approx(1 / (1 + np.exp(-odds)))


def test_the_best_score_of_every_query_in_every_item() -> None:
    parts = [grid(2, 2, 4.0, 4.0), grid(2, 2, 8.0, 8.0)]
    queries = np.random.default_rng(0).random((3, 4))
    assert best_scores(parts, queries).tolist() == [queries.max(1).tolist()] * 2


def test_confidences_of_nothing_are_refused() -> None:
    with pytest.raises(IsthmusError, match="3 unrelated scores are too few"):
        confidence(0.5, np.zeros(3))
    with pytest.raises(IsthmusError, match="all unrelated queries score the same"):
        confidence(0.5, np.zeros(30))
