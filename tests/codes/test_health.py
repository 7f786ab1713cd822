"""Figures of code use against counts by hand, and warnings where figures disagree."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from isthmus.codes.learning.objective import UseLog
from isthmus.codes.reading.health import health
from isthmus.codes.reading.use import (
    Contrast,
    concept_overlap,
    joint_use,
    joint_use_by_all,
    largest_shares,
    nmi,
    perplexity,
    purity,
    top_codes,
    use_of_items,
    use_shares,
)

SIZE = 6
codes_of = st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=40).map(np.array)


@given(codes_of, codes_of, codes_of)
def test_use_figures_are_those_counted_by_hand(image: np.ndarray, audio: np.ndarray, text: np.ndarray) -> None:
    given_codes = {"image": image, "audio": audio, "text": text}
    shares = use_shares(given_codes, SIZE)
    by_hand = [[sum(own == code) / len(own) for code in range(SIZE)] for own in given_codes.values()]
    np.testing.assert_allclose(shares, by_hand)
    pairs_of_shares = [(row[code], other[code]) for code in range(SIZE) for row in by_hand for other in by_hand]
    assume(all(abs(one - 9 * other) > 1e-9 or one == 0 for one, other in pairs_of_shares))
    assume(
        all(abs(10 * max(column) - 9 * sum(column)) > 1e-9 or max(column) == 0 for column in zip(*by_hand, strict=True))
    )
    used = [code for code in range(SIZE) if any(row[code] > 0 for row in by_hand)]
    joint = [code for code in used if max(row[code] for row in by_hand) <= 0.9 * sum(row[code] for row in by_hand)]
    assert joint_use(shares) == pytest.approx(len(joint) / len(used))
    by_all = [code for code in used if max(r[code] for r in by_hand) * 0.1 <= 0.9 * min(r[code] for r in by_hand)]
    assert joint_use_by_all(shares) == pytest.approx(len(by_all) / len(used))
    assert joint_use_by_all(shares) <= joint_use(shares)
    for row, found in zip(by_hand, perplexity(shares), strict=True):
        assert found == pytest.approx(np.exp(-sum(p * np.log(p) for p in row if p > 0)))


def test_modalities_count_alike_however_many_tokens_they_have() -> None:
    few, many = np.array([0, 1]), np.array([0] * 500 + [1] * 500)
    assert largest_shares(use_shares({"image": few, "audio": many}, 2)).tolist() == [0.5, 0.5]


def test_purity_nmi_and_top_codes_leave_unlabelled_tokens_out() -> None:
    codes = np.array([0, 0, 0, 1, 1, 2, 2])
    labels = np.array([0, 0, 1, 1, 1, -1, 0])
    assert purity(codes, labels) == pytest.approx((2 + 2 + 1) / 6)
    assert top_codes(codes, labels).tolist() == [0, 1]
    assert nmi(codes, np.array([0, 0, 0, 1, 1, 2, 2])) == pytest.approx(1)
    assert nmi(np.zeros(7, dtype=int), labels) == pytest.approx(0)


def test_overlap_of_equal_things_is_that_of_row_with_row() -> None:
    left = use_of_items(np.array([0, 0, 1, 2]), np.array([0, 2, 4]), 3)
    np.testing.assert_allclose(left, [[1, 0, 0], [0, 0.5, 0.5]])
    assert concept_overlap(left, left) == Contrast(1.0, 0.0)
    assert concept_overlap(left, left[[1, 0]]) == Contrast(0.0, 1.0)


def test_codes_used_by_one_modality_each_give_a_warning() -> None:
    report = health({"image": np.arange(3).repeat(9), "audio": np.arange(3, 6).repeat(9)}, SIZE)
    assert report.joint_use == 0
    assert report.warnings[0].startswith("THE CODES ARE NOT SHARED")
    assert any("WARNING" in line for line in report.lines())


def test_joint_use_without_agreement_gives_a_warning() -> None:
    same = np.arange(SIZE).repeat(9)
    fine = health({"image": same, "audio": same}, SIZE, overlap={"image and audio": Contrast(0.8, 0.2)})
    assert fine.warnings == []
    vain = health({"image": same, "audio": same}, SIZE, overlap={"image and audio": Contrast(0.31, 0.3)})
    assert vain.joint_use == 1
    assert "means nothing here" in vain.warnings[0]


def test_use_is_logged_during_training(caplog: pytest.LogCaptureFixture) -> None:
    log = UseLog()
    with caplog.at_level("INFO"):
        for step in range(250):
            early = step < 100
            log.add(
                {
                    "image": torch.tensor([4.0, 0.0, 0.0]),
                    "audio": torch.tensor([0.0, 4.0, 0.0] if early else [2.0, 2.0, 0.0]),
                }
            )
    assert [record.message for record in caplog.records] == [
        "over the last 100 steps: joint use 0% of 2 active codes, perplexity image 1.0, audio 1.0",
        "over the last 100 steps: joint use 50% of 2 active codes, perplexity image 1.0, audio 2.0",
    ]
