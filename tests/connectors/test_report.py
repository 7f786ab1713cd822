"""The report as text and as JSON: whose gap it is, figures in the field's terms, and reports of 0.1 still load."""

import json

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
    assert lines[0].startswith(f"held-out text ({report.held_out} rows): R@1 {100 * report.overlap_r1:.0f} %, MRR ")
    assert f"gap text-image: {gaps['text', 'image'].before:.2f} in clip, " in " ".join(lines)
    assert f"gap image-audio: {gaps['image', 'audio'].after:.2f} in the joint space" in lines
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
    assert "no estimate: the rows of 'left' vary in 4 dimensions, 8 are needed" in report.lines()
    assert not any("likely" in line for line in report.lines())
    with pytest.raises(IsthmusError, match=r"no estimate: the audio rows vary in \d directions, 8 are needed"):
        connector.estimate(connector.project(right["audio"]), connector.project(left["image"]))
    assert isthmus.connect(*two_spaces(), method="cca").report.bands != ()


@pytest.mark.parametrize("texts", [12, 20])
def test_few_good_texts_are_too_few_to_tell_not_chance(texts: int) -> None:
    left, right = (cut(side, texts=texts) for side in two_spaces())
    report = isthmus.connect(left, right, method="ridge").report
    assert report is not None
    said = "\n".join(report.lines())
    assert f"The {texts // 5} held-out text rows are too few to tell" in said
    assert "no better than by chance" not in said
    assert "no estimate: the held-out text rows do not clearly find their counterparts" in said


@pytest.mark.parametrize("method", ["auto", "cca", "ridge", "procrustes"])
@pytest.mark.parametrize("modality", ["text", "image"])
def test_rows_that_are_all_alike_are_refused_in_a_line(method: str, modality: str) -> None:
    left, right = two_spaces()
    rows = left[modality]
    same = np.repeat(rows.vectors[:1], len(rows), axis=0)
    left[modality] = isthmus.Embeddings.from_array(same, modality=modality, space="left", ids=rows.ids)
    with pytest.raises(IsthmusError, match=f"the left side's {modality} rows are all alike"):
        isthmus.connect(left, right, method=method)


def test_a_report_of_0_1_loads_without_the_newer_fields() -> None:
    left, right = two_spaces()
    report = isthmus.connect(left, right, method="ridge").report
    assert report is not None
    old = report.as_dict()
    del old["overlap"]
    for gap in old["gaps"]:
        del gap["space"]
    lines = ConnectorReport.from_dict(old).lines()
    assert lines[0].startswith("held-out overlap (")
    assert " in its space, " in lines[1]
