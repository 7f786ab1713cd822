"""The verdict: what a report says for given figures, and that it fits a screen."""

import json
from dataclasses import replace

import numpy as np
import pytest

from isthmus.connectors.trust.abstention import why_no_estimate
from isthmus.connectors.trust.figures import Band, Coverage, GalleryEstimate, Gap, Half, ShownItem, WorstText
from isthmus.connectors.trust.report import ConnectorReport
from isthmus.connectors.trust.verdict import verdict


def band(middle: float) -> Band:
    return Band("if each query has one counterpart", max(0.0, middle - 0.1), middle, min(1.0, middle + 0.1), 200)


def worst(text: str, cycle: float) -> WorstText:
    return WorstText(ShownItem(text), cycle, ShownItem("dog_12.wav"), 0.1, ShownItem("a dog"))


def memory(space: str, modality: str, *, lacking: int = 0, rows: int = 5000) -> Coverage:
    """A memory that lacks ``lacking`` of 100 texts."""
    cycles = (lacking, *[0] * 18, 100 - lacking)
    texts = tuple(worst(f"text {number} of {modality}", 0.1) for number in range(5)) if lacking else ()
    return Coverage(modality, rows, 0.1, 20.0, space, 0.9, cycles, texts)


GOOD_MEMORIES = (memory("clip", "image"), memory("clap", "audio"))


def report(**changes: object) -> ConnectorReport:
    good = ConnectorReport(
        held_out=400,
        overlap_mrr=0.9,
        overlap_r1=0.85,
        chance_mrr=0.016,
        gaps=(),
        coverage=GOOD_MEMORIES,
        hubness=0.5,
        criteria={},
        bands=(band(0.9),),
        verdict=(),
        spaces=("clip", "clap"),
        rows=2000,
        dims=(512, 512),
    )
    made = replace(good, **changes)
    return replace(made, verdict=verdict(made))


def chain(texts: float, unmatched: float) -> dict[str, float]:
    return {"texts": texts, "one_item": texts, "items": texts, "unmatched": unmatched}


LACKING = (memory("clip", "image", lacking=60), memory("clap", "audio", lacking=97))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["Retrieval between clip image and clap audio can be good"]),
        ({"bands": (band(0.3),)}, ["likely fair"]),
        ({"bands": (band(0.1),)}, ["likely poor"]),
        ({"bands": ()}, ["cannot be told from these inputs", "estimate it on your own queries and gallery"]),
        # A memory is blamed only where results are not good, and the worst one first.
        ({"coverage": LACKING}, ["can be good"]),
        (
            {"coverage": LACKING, "bands": (band(0.3),)},
            ["likely fair", "clap audio memory lacks 97 %", "clip image memory"],
        ),
        (
            {"coverage": LACKING, "bands": ()},
            ["cannot be told", "such as 'text 0 of audio' (nearest: 'dog_12.wav'", "clip image", "estimate it"],
        ),
        ({"overlap_mrr": 0.02}, ["no better than by chance", "Check that equal ids mean equal items"]),
        ({"held_out": 9, "chance_mrr": 0.31}, ["can be good", "Only 9 overlap rows"]),
        (
            {"held_out": 2, "chance_mrr": 0.75, "overlap_mrr": 1.0, "overlap_r1": 1.0},
            ["too few to tell", "Add rows that both sides share"],
        ),
        (
            {"held_out": 4, "chance_mrr": 0.52, "overlap_mrr": 0.5},
            ["too few to tell", "Add rows that both sides share"],
        ),
        (
            {"held_out": 20, "chance_mrr": 0.18, "overlap_mrr": 0.35},
            ["too few to tell", "Add rows that both sides share"],
        ),
        (
            {"held_out": 20, "chance_mrr": 0.18, "overlap_mrr": 0.2},
            ["no better than by chance", "Check that equal ids"],
        ),
        # R@1 of 1 % is better than chance, and still says something.
        ({"overlap_mrr": 0.05, "overlap_r1": 0.01}, ["can be good", "equal ids mean equal items"]),
        ({"overlap_mrr": 0.4, "overlap_r1": 0.3}, ["can be good", "R@1 30 % only"]),
        # Pairs that rank their counterparts anywhere, while the others find them: wrong ids, not weak texts.
        (
            {"overlap_mrr": 0.4, "overlap_r1": 0.38, "criteria": chain(0.4, 0.58), "bands": (band(0.3),)},
            ["likely fair", "About 58 % of the overlap pairs look wrongly matched"],
        ),
        ({"overlap_mrr": 0.1, "criteria": chain(0.1, 0.5), "bands": (band(0.1),)}, ["likely poor", "agree little"]),
        # A band whose lower end is poor is not called good.
        ({"bands": (Band("", 0.25, 0.55, 0.7, 200),)}, ["likely fair"]),
        # The estimate of the user's own gallery decides, whatever the other says.
        ({"given": GalleryEstimate("clap audio", "clip image", 90, band(0.1))}, ["likely poor for these queries"]),
        ({"given": GalleryEstimate("clap audio", "clip image", 90, band(0.9)), "bands": ()}, ["likely good for these"]),
        (
            {"given": GalleryEstimate("clap audio", "clip image", 90, None, "too few")},
            ["cannot be told from these inputs, because too few."],
        ),
        # More rows: if the second half of them helped by more than its error, or if they are fewer than dimensions.
        (
            {"half": Half(1600, 0.7, 0.6, 0.02)},
            ["can be good", "gave a held-out MRR of 0.60, all of them 0.70. Aim at 4000"],
        ),
        ({"rows": 49}, ["can be good", "49 overlap rows cannot span 512 dimensions. Aim at 512"]),
        ({"rows": 300, "half": Half(240, 0.7, 0.6, 0.02)}, ["can be good", "Aim at 600 shared rows"]),
        ({"half": Half(1600, 0.7, 0.69, 0.02)}, ["can be good"]),
    ],
)
def test_the_verdict_follows_from_the_band_and_says_what_to_do_next(changes: dict, said: list[str]) -> None:
    sentences = verdict(report(**changes))
    assert len(sentences) == len(said)
    for sentence, part in zip(sentences, said, strict=True):
        assert part in sentence


WIDE = Band("", 0.2, 0.5, 0.8, 200)


@pytest.mark.parametrize(
    ("changes", "dimensions", "own", "why"),
    [
        ({"overlap_mrr": 0.017}, {}, band(0.1), "the held-out overlap rows do not find their counterparts"),
        ({"held_out": 30, "chance_mrr": 0.13}, {}, band(0.9), "only 30 overlap rows were held out, 40 are needed"),
        ({"coverage": GOOD_MEMORIES[:1]}, {}, None, "a space has no memory: add one"),
        (
            {"coverage": (memory("clip", "image", rows=50), GOOD_MEMORIES[1])},
            {},
            band(0.9),
            "the clip image memory has 50 items, 200 a side are needed",
        ),
        (
            {"coverage": (memory("clip", "image", rows=50), memory("clap", "audio", rows=60))},
            {},
            band(0.9),
            "the clip image memory has 50 items and the clap audio memory has 60 items, 200 a side are needed",
        ),
        ({}, {"clip": 512, "clap": 3}, band(0.9), "the rows of 'clap' vary in 3 dimensions, 8 are needed"),
        ({"coverage": LACKING}, {}, band(0.9), "the clap audio memory covers the overlap rows too little"),
        ({}, {}, WIDE, "what was measured allows any MRR from 0.20 to 0.80"),
        ({}, {"clip": 512, "clap": 8}, band(0.9), ""),
    ],
)
def test_a_report_abstains_outside_what_was_calibrated(
    changes: dict, dimensions: dict, own: Band | None, why: str
) -> None:
    found = why_no_estimate(report(**changes), dimensions, own)
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_the_report_says_once_why_there_is_no_estimate() -> None:
    why = "a space has no memory: add one"
    said = " ".join(" ".join(report(coverage=GOOD_MEMORIES[:1], bands=(), no_estimate=why).lines()).split())
    assert said.count(why) == 1


def test_coverage_is_the_mean_cycle_score() -> None:
    assert memory("clip", "image", lacking=60).covered == pytest.approx(0.6 * 0.025 + 0.4 * 0.975)


@pytest.mark.parametrize("held", range(1, 60))
def test_no_perfect_order_is_called_chance(held: int) -> None:
    """Whatever the number of held-out rows, and with one counterpart missed among them."""
    chance = float(np.mean(1 / np.arange(1, held + 1)))
    for missed in (0, 1):
        mrr = (held - missed / 2) / held
        found = " ".join(verdict(report(held_out=held, chance_mrr=chance, overlap_mrr=mrr, bands=())))
        assert "no better than by chance" not in found or mrr < chance


def full(name: str) -> ConnectorReport:
    """A report in which everything is wrong that can be, with long names of spaces, texts and files."""
    long = " ".join([name] * 40)
    path = "/".join(["folder"] * 30) + "/clip_0001.wav"
    texts = tuple(WorstText(ShownItem(f"{k} {long}"), 0.0, ShownItem(path), 0.1, ShownItem(long)) for k in range(5))
    memories = tuple(
        replace(own, worst=texts, space=space, cycles=(90, *[0] * 18, 10), rows=1_800_000)
        for own, space in zip(GOOD_MEMORIES, ("ViT-L-14-336 of OpenAI", "laion/clap-htsat-unfused"), strict=True)
    )
    gaps = tuple(Gap(("text", own.modality), 0.8, 0.1, own.space) for own in memories)
    return report(
        coverage=memories,
        gaps=(*gaps, Gap(("image", "audio"), None, 0.2)),
        bands=(band(0.3),),
        overlap="text",
        half=Half(1600, 0.7, 0.6, 0.02),
        spaces=tuple(own.space for own in memories),
    )


@pytest.mark.parametrize("name", ["a word", "Donaudampfschifffahrtsgesellschaft"])
def test_a_report_fits_one_screen_and_shows_the_worst_texts_of_both_memories(name: str) -> None:
    lines = full(name).lines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert sum("…/clip_0001.wav" in line or "/clip_0001.wav" in line for line in lines) >= 4
    for text in ("1.", "2.", "3.", "ViT-L-14-336 of OpenAI image", "laion/clap-htsat-unfused audio"):
        assert any(text in line for line in lines)


def test_a_report_is_plain_data() -> None:
    own = replace(
        full("word"),
        media={("clip", "image", "a"): "pictures/a.png"},
        given=GalleryEstimate("clap audio", "clip image", 90, band(0.4)),
    )
    stored = json.dumps(own.as_dict())
    assert "pictures" not in stored
    assert ConnectorReport.from_dict(json.loads(stored)) == own
