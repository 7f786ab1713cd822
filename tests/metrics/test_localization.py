"""cIoU, success rate and the counterfactual figures against loops over pixels and items, and by real annotations."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.metrics import (
    box_mask,
    centre_box,
    ciou,
    class_aware_ciou,
    consensus,
    corner_boxes,
    detection_scores,
    has_area,
    localization_scores,
    median_mask,
    published_detection_scores,
    success_auc,
    success_rate,
)

WHOLE = np.array([[0.0, 0.0, 1.0, 1.0]])


def looped_mask(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """A pixel is in a box from its rounded-down left and top corner to before the right and bottom one."""
    mask = np.zeros((height, width), bool)
    for y in range(height):
        for x in range(width):
            for left, top, right, bottom in boxes:
                across = int(width * max(left, 0)) <= x < int(width * max(right, 0))
                mask[y, x] |= across and int(height * max(top, 0)) <= y < int(height * max(bottom, 0))
    return mask


def looped_ciou(predicted: np.ndarray, truth: np.ndarray) -> float:
    found = weight = wrong = 0.0
    for p, g in zip(predicted.ravel(), truth.ravel(), strict=True):
        weight += g
        found += g if p else 0
        wrong += 1 if p and g == 0 else 0
    return found / (weight + wrong) if weight + wrong else 0.0


def looped_detection(conf: list, cious: list, positive: list) -> tuple[float, float]:
    """AP and maximal F1 from counts made anew at every threshold."""
    points = []
    for least in sorted(set(conf), reverse=True):
        tp = fp = fn = 0
        for c, own, is_positive in zip(conf, cious, positive, strict=True):
            right = is_positive and own >= 0.5
            tp += c >= least and right
            fp += c >= least and not right
            fn += c < least and is_positive
        points.append((tp / (tp + fp), tp / (tp + fn) if tp else 0.0))
    ap = before = 0.0
    for place, (_, recall) in enumerate(points):
        ap += (recall - before) * max(precision for precision, _ in points[place:])
        before = recall
    return ap, max(2 * p * r / (p + r) if p + r else 0.0 for p, r in points)


@pytest.mark.parametrize("seed", range(4))
def test_masks_and_ciou_equal_loops_over_pixels(seed: int) -> None:
    draw = np.random.default_rng(seed)
    boxes = draw.uniform(-0.2, 1.2, (3, 4))
    mask = box_mask(boxes, (17, 23))
    np.testing.assert_array_equal(mask, looped_mask(boxes, 17, 23))
    truth = consensus(np.stack([box_mask(draw.uniform(0, 1, (2, 4)), (17, 23)) for _ in range(3)]))
    predicted = median_mask(draw.random((17, 23)))
    assert ciou(predicted, truth) == pytest.approx(looped_ciou(predicted, truth))


def test_three_annotators_agree_where_two_of_them_do() -> None:
    masks = np.stack([box_mask(np.array([[0, 0, right, 1.0]]), (1, 4)) for right in (0.25, 0.5, 1.0)])
    assert consensus(masks).tolist() == [[1.0, 1.0, 0.5, 0.5]]
    assert consensus(masks[:1]).tolist() == [[0.5, 0, 0, 0]]


def test_the_two_layouts_give_the_same_box() -> None:
    corners, widths = corner_boxes([[0.25, 0.5, 0.75, 1.0]], "corners"), corner_boxes([[0.25, 0.5, 0.5, 0.5]], "xywh")
    np.testing.assert_array_equal(box_mask(corners), box_mask(widths))


@pytest.mark.parametrize(
    ("box", "said"), [([0.1, 0.2, 0.3], "box 1 is .*four finite"), ([0, 0, 1, float("nan")], "box 1")]
)
def test_a_box_that_is_none_is_named(box: list, said: str) -> None:
    with pytest.raises(IsthmusError, match=said):
        corner_boxes([[0, 0, 1, 1], box], "corners")


def test_an_item_without_truth_fails_and_is_counted() -> None:
    degenerate = np.array([[0.4, 0.8, 0.7, -2.9e16]])
    assert not has_area(degenerate).any()
    cious = np.array([1.0, ciou(box_mask(WHOLE), box_mask(degenerate).astype(float))])
    scores = localization_scores(cious, np.array([True, False]))
    assert (scores.success, scores.items, scores.without_truth) == (0.5, 2, 1)
    with pytest.raises(IsthmusError, match="with_truth"):
        localization_scores(np.array([1.0, 1.0]), np.array([True, False]))


def test_the_median_selects_half_of_a_map_whatever_its_scale() -> None:
    heat = np.random.default_rng(0).random((224, 224))
    mask = median_mask(heat)
    assert mask.sum() == 224 * 112
    np.testing.assert_array_equal(mask, median_mask(7 * heat - 3))
    assert median_mask(np.ones((3, 3))).all()
    assert median_mask(np.array([[0.3, 0.1 + 0.2]])).all()


def test_the_map_of_a_box_is_not_thresholded_at_its_median() -> None:
    with pytest.raises(IsthmusError, match="it is a mask"):
        median_mask(box_mask(centre_box(0.3)).astype(float))


def test_a_random_map_has_the_expected_ciou() -> None:
    """Half of the pixels at random, truth of share a: (a/2) / (a + (1 − a)/2) = a / (1 + a)."""
    mask = median_mask(np.random.default_rng(0).random((224, 224)))
    for side in (0.3, 0.6, 1.0):
        truth = box_mask(centre_box(side))
        a = truth.mean()
        assert ciou(mask, truth.astype(float)) == pytest.approx(a / (1 + a), abs=0.01)


def test_auc_is_the_trapezoid_of_the_success_rate() -> None:
    cious = np.random.default_rng(0).random(50)
    expected = np.trapezoid([np.mean(cious >= t / 20) for t in range(21)], dx=0.05)
    assert success_auc(cious) == pytest.approx(expected)
    assert success_auc(np.zeros(3)) == pytest.approx(1 / 40)
    assert success_auc(np.ones(3)) == pytest.approx(1)


def test_a_duet_is_scored_by_the_sources_that_sound() -> None:
    left, right = box_mask(np.array([[0, 0, 0.5, 1.0]])), box_mask(np.array([[0.5, 0, 1.0, 1.0]]))
    both = left | right
    sounding = np.array([[True, True, False]])

    def of(first: np.ndarray, second: np.ndarray) -> float:
        cious = np.array([[ciou(first, left.astype(float)), ciou(second, right.astype(float)), 0.9]])
        return float(class_aware_ciou(cious, sounding)[0])

    assert [of(left, right), of(right, left), of(both, both), of(left, left)] == [1.0, 0.0, 0.5, 0.5]
    with pytest.raises(IsthmusError, match="item 0"):
        class_aware_ciou(np.zeros((1, 3)), np.zeros((1, 3), bool))


@pytest.mark.parametrize("levels", [3, 1000])
def test_ap_and_f1_equal_a_loop_over_thresholds(levels: int) -> None:
    for seed in range(5):
        draw = np.random.default_rng(seed)
        positive = draw.random(60) < 0.5
        conf = draw.integers(-levels, levels, 60) / levels
        cious = np.where(positive, draw.random(60), np.nan)
        found = detection_scores(conf, cious, positive)
        assert (found.ap, found.max_f1) == pytest.approx(looped_detection(conf.tolist(), cious, positive))
        assert found.loc_acc == np.mean(cious[positive] >= 0.5)
        assert (found.positives, found.negatives) == (positive.sum(), (~positive).sum())


def test_ap_of_confidences_that_say_all_or_nothing_is_derived() -> None:
    draw = np.random.default_rng(0)
    positive, cious = np.arange(8000) < 4000, draw.random(8000)
    q = np.mean(cious[positive] >= 0.5)
    knowing = detection_scores(positive + draw.random(8000) / 2, cious, positive)
    assert (knowing.ap, knowing.max_f1) == pytest.approx((q, 2 * q / (1 + q)), abs=0.02)
    assert detection_scores(draw.random(8000), cious, positive).ap == pytest.approx(q / 2, abs=0.02)
    assert detection_scores(np.zeros(8000), cious, positive).ap == pytest.approx(q / 2)


def test_the_published_protocol_differs_as_documented() -> None:
    draw = np.random.default_rng(0)
    positive, cious = np.arange(8000) < 4000, draw.random(8000)
    conf = positive + draw.normal(size=8000)
    ours, theirs = detection_scores(conf, cious, positive), published_detection_scores(conf, cious, positive)
    assert theirs.ap == pytest.approx(ours.ap, abs=0.01)
    assert ours.max_f1 - 0.02 < theirs.max_f1 <= ours.max_f1
    assert published_detection_scores(np.zeros(8000), cious, positive).ap == 0


@pytest.mark.parametrize(
    ("conf", "cious", "positive", "said"),
    [
        ([1.0], [1.0], [False], "no positive"),
        ([np.nan], [1.0], [True], "not finite"),
        ([1.0], [np.nan], [True], "no cIoU"),
    ],
)
def test_figures_of_nothing_are_refused(conf: list, cious: list, positive: list, said: str) -> None:
    with pytest.raises(IsthmusError, match=said):
        detection_scores(np.array(conf), np.array(cious), np.array(positive))


def covered(boxes: np.ndarray) -> float:
    """Area of a union of boxes, by the cells between all of their edges."""
    boxes = np.clip(boxes, 0, 1)
    across, down = (np.unique(boxes[:, axis::2]) for axis in (0, 1))
    x, y = (across[1:] + across[:-1]) / 2, (down[1:] + down[:-1]) / 2
    inside = (
        (boxes[:, 0, None, None] < x)
        & (x < boxes[:, 2, None, None])
        & (boxes[:, 1, None, None] < y[:, None])
        & (y[:, None] < boxes[:, 3, None, None])
    )
    return float((inside.any(0) * np.diff(across) * np.diff(down)[:, None]).sum())


def expected_ciou(predicted: np.ndarray, boxes: np.ndarray) -> float:
    """Intersection over union of areas: |A| + |B| − |A ∪ B| over |A ∪ B|."""
    union = covered(np.concatenate([predicted, boxes]))
    return (covered(predicted) + covered(boxes) - union) / union


@pytest.mark.slow
def test_baselines_on_real_boxes_score_as_derived(shared_data: Path) -> None:
    """VGGSS and MUSIC: whole image, centre box and random maps against areas of the boxes themselves."""
    folder = shared_data / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the benchmarks' annotations are absent")
    vggss = [corner_boxes(row["bbox"], "corners") for row in json.loads((folder / "vggss" / "vggss.json").read_text())]
    music = json.loads((folder / "music" / "music_solo.json").read_text())
    noise = median_mask(np.random.default_rng(0).random((224, 224)))
    for boxes, degenerate, empty in (
        (vggss, 18, 2),
        ([corner_boxes([row["bbox"]], "xywh") for row in music], 0, 0),
    ):
        assert sum((~has_area(own)).sum() for own in boxes) == degenerate
        truths = [box_mask(own).astype(float) for own in boxes]
        with_truth = np.array([truth.any() for truth in truths])
        assert (~with_truth).sum() == empty
        truths, boxes = truths[::8], boxes[::8]  # all of them agree too, but take half a minute
        with_truth = with_truth[::8]
        for predicted in (WHOLE, centre_box(0.5), centre_box(np.sqrt(0.5))):
            cious = np.array([ciou(box_mask(predicted), truth) for truth in truths])
            areas = np.array([expected_ciou(predicted, own) for own in boxes])
            assert np.abs(cious - areas).max() < 0.03
            near = np.abs(areas - 0.5) < 0.03
            scores = localization_scores(cious, with_truth)
            assert np.mean((areas >= 0.5) & ~near) <= scores.success <= np.mean((areas >= 0.5) | near)
        shares = np.array([truth.mean() for truth in truths])
        random = np.array([ciou(noise, truth) for truth in truths])
        assert np.abs(random - shares / (1 + shares)).mean() < 0.01
        assert success_rate(random) <= np.mean(shares > 0.95)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "positives", "negatives"),
    [("vggss/vggss_test_plus_silent.csv", 5158, 5158), ("flickr_soundnet/flickr_test_plus_silent.csv", 250, 250)],
)
def test_the_extended_sets_score_as_derived(shared_data: Path, path: str, positives: int, negatives: int) -> None:
    """As many negatives as positives: blind confidences get half of LocAcc, perfect ones all of it."""
    place = shared_data / "benchmarks" / path
    if not place.is_file():
        pytest.skip("the benchmarks' annotations are absent")
    with place.open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == negatives
    positive = np.arange(positives + negatives) < positives
    cious = np.where(positive, np.random.default_rng(0).random(len(positive)), np.nan)
    loc_acc = success_rate(cious[positive])
    assert detection_scores(np.ones(len(positive)), cious, positive).ap == pytest.approx(loc_acc / 2)
    assert detection_scores(positive * 1.0, cious, positive).ap == pytest.approx(loc_acc)
