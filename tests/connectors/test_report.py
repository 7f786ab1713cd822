"""The report as text and as JSON: whose gap it is, figures in the field's terms, and reports of 0.1 still load."""

import json
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus.base.errors import IsthmusError
from isthmus.connectors.trust.report import ConnectorReport
from two_sides import two_spaces

Side = dict[str, isthmus.Embeddings]


def test_gaps_name_the_space_they_are_in() -> None:
    left, right = two_spaces(left_space="clip", right_space="clap")
    report = isthmus.connect(left, right, method="cca").report
    assert report is not None
    gaps = {gap.modalities: gap for gap in report.gaps}
    assert [gap.space for gap in gaps.values()] == ["clip", "clap", None]
    lines = report.lines()
    held_out = f"held-out text ({report.held_out} rows): R@1 {100 * report.overlap_r1:.0f} %, MRR "
    assert any(line.startswith(held_out) for line in lines)
    row = next(line.split() for line in lines if line.startswith("clip image "))
    assert row[-2:] == [f"{gaps['text', 'image'].before:.2f}", f"{gaps['text', 'image'].after:.2f}"]
    between = f"gap clip image to clap audio {gaps['image', 'audio'].after:.2f} in the joint space"
    assert any(line.startswith(between) for line in lines)
    assert ConnectorReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def cut(side: Side, *, dims: int | None = None, texts: int | None = None, padded: bool = False) -> Side:
    """A side with only its first dimensions, or its first overlap rows."""
    found = {}
    for modality, rows in side.items():
        vectors = rows.vectors[: texts if modality == "text" else None, :dims]
        vectors = np.pad(vectors, ((0, 0), (0, 20))) if padded else vectors
        found[modality] = isthmus.Embeddings.from_array(
            vectors, modality=modality, space=rows.space, ids=rows.ids[: len(vectors)]
        )
    return found


@pytest.mark.parametrize("padded", [False, True])
def test_a_space_of_few_dimensions_gets_no_band_and_no_estimate(padded: bool) -> None:
    left, right = two_spaces()
    left = cut(left, dims=4, padded=padded)
    connector = isthmus.connect(left, right, method="cca")
    report = connector.report
    assert report is not None
    assert report.bands == ()
    said = " ".join(report.lines())
    assert said.count("because the rows of 'left' vary in 4 dimensions, 8 are needed") == 1
    assert "likely" not in said
    with pytest.raises(IsthmusError, match=r"no estimate: the audio rows vary in \d directions, 8 are needed"):
        connector.estimate(connector.project(right["audio"]), connector.project(left["image"]))
    assert isthmus.connect(*two_spaces(), method="cca").report.bands != ()


@pytest.mark.parametrize("texts", [12, 20])
def test_few_good_texts_are_too_few_to_tell_not_chance(texts: int) -> None:
    left, right = (cut(side, texts=texts) for side in two_spaces())
    report = isthmus.connect(left, right, method="ridge").report
    assert report is not None
    said = " ".join(report.lines())
    assert f"The {texts // 5} held-out text rows are too few to tell" in said
    assert "no better than by chance" not in said
    assert f"no estimate before any query: only {texts // 5} text rows were held out, 40 are needed" in said


@pytest.mark.parametrize("method", ["auto", "cca", "ridge", "procrustes"])
@pytest.mark.parametrize("modality", ["text", "image"])
def test_rows_that_are_all_alike_are_refused_in_a_line(method: str, modality: str) -> None:
    left, right = two_spaces()
    rows = left[modality]
    same = np.repeat(rows.vectors[:1], len(rows), axis=0)
    left[modality] = isthmus.Embeddings.from_array(same, modality=modality, space="left", ids=rows.ids)
    with pytest.raises(IsthmusError, match=f"the left side's {modality} rows are all alike"):
        isthmus.connect(left, right, method=method)


def test_a_report_of_0_1_loads_without_the_newer_fields(tmp_path: Path) -> None:
    left, right = two_spaces()
    report = isthmus.connect(left, right, method="ridge").report
    assert report is not None
    old = report.as_dict()
    for name in ("overlap", "no_estimate", "spaces", "rows", "dims", "half", "examples", "given"):
        del old[name]
    for gap in old["gaps"]:
        del gap["space"]
    for entry in old["coverage"]:
        for name in ("space", "cycle", "cycles", "worst"):
            del entry[name]
    again = ConnectorReport.from_dict(json.loads(json.dumps(old)))
    said = "\n".join(again.lines())
    assert "held-out overlap (" in said
    assert f"gap image to audio {report.gaps[-1].after:.2f} in the joint space" in said
    row = next(line.split() for line in said.splitlines() if line.startswith("image "))
    assert row[-2:] == [f"{report.gaps[0].before:.2f}", f"{report.gaps[0].after:.2f}"]
    assert "<h2>The modality gap</h2>" in again.save(tmp_path / "old.html").read_text()
