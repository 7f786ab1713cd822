"""The report as text and as JSON: whose gap it is, figures in the field's terms, and reports of 0.1 still load."""

import json

import isthmus
from isthmus.connectors.trust.report import ConnectorReport
from two_sides import two_spaces


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
