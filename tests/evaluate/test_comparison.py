"""The report: figures with intervals and coverage beside published ones, which are marked if not comparable."""

import re
from pathlib import Path

import pytest

from isthmus.base.errors import IsthmusError
from isthmus.cli import main
from isthmus.evaluate.comparison import MARKED, compare, result_files
from isthmus.evaluate.results import TaskResult, write_result


def result(task: str, main_metric: str, scored: int = 9, **figures: float) -> TaskResult:
    subset = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": figures[main_metric], **figures}
    side = {"expected": 10, "found": scored, "missing": 1, "unreadable": 1, "cut": 0}
    details = {
        "coverage": {"expected": 10, "scored": scored, "left_out": {"empty caption": 905}, "sides": {"audio": side}},
        "subsets": {"default": {"intervals": {main_metric: [0.01, 0.03]}}},
    }
    return TaskResult(task, "data@1", "0.1.0", {"test": [subset]}, 1.0, details=details)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    write_result(folder, "my_joint & co", "1234", result("vggss-retrieval", "r1", r1=0.02, r5=0.08, median_rank=40.0))
    write_result(folder, "codes", "77", result("cmg-ave", "accuracy", accuracy=0.36))
    write_result(folder, "codes", "77", result("something-else", "accuracy", accuracy=0.5))
    return folder


def test_measured_figures_stand_beside_published_ones(results: Path) -> None:
    tables = {own.name: own for own in compare(result_files([results]))}
    assert list(tables) == ["vggss-retrieval", "cmg-ave", "something-else"]
    first, *others = tables["vggss-retrieval"].rows
    assert (first.figures, first.intervals) == ({"r1": 2.0, "r5": 8.0, "median_rank": 40.0}, {"r1": (1.0, 3.0)})
    assert first.note == "9 of 10 scored; 1 audio missing; 1 audio unreadable; 905 left out of the annotations"
    assert ("C-MCR", {"r1": 1.94, "r5": 7.69}) in [(own.model, own.figures) for own in others]
    assert {own.kind for own in tables["cmg-ave"].rows[1:]} == {MARKED}


@pytest.mark.parametrize("suffix", ["md", "html", "tex"])
def test_every_format_marks_what_is_not_comparable(results: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"report.{suffix}"
    main(["report", str(results), "--out", str(out)])
    text = out.read_text()
    dagger = r"\textdagger{}" if suffix == "tex" else "†"
    assert len(re.findall(rf"32\.70{re.escape(dagger)}", text)) == (2 if suffix == "html" else 1)  # table and bars
    assert len(re.findall(r"32\.70(?![†\\])", text)) == 0
    assert "2.00" in text
    assert "1.00 to 3.00" in text
    assert "9 of 10 scored" in text
    assert "1.94" in text
    assert f"1.94{dagger}" not in text


def test_bars_are_as_long_as_their_figures(results: Path, tmp_path: Path) -> None:
    main(["report", str(results), "--out", str(tmp_path / "r.html")])
    section = (tmp_path / "r.html").read_text().split("<h2>")[1]
    widths = [float(width) for width in re.findall(r'<rect x="260" y="\d+" width="([\d.]+)"', section)]
    figures = [2.0, 2.51, 1.25, 1.94, 2.13, 14.82, 15.64]
    assert widths == pytest.approx([640 * value / 15.64 for value in figures], abs=0.1)
    assert section.count("<line") == 1


def test_figures_of_a_small_part_of_the_data_are_marked(tmp_path: Path) -> None:
    write_result(tmp_path, "part", "1", result("vggss-retrieval", "r1", scored=8, r1=0.3))
    main(["report", str(tmp_path), "--out", str(tmp_path / "r.md")])
    (row,) = [line for line in (tmp_path / "r.md").read_text().splitlines() if line.startswith("| part")]
    assert row.startswith("| part† | 30.00†")
    assert "8 of 10 scored" in row


def test_special_signs_are_escaped(results: Path, tmp_path: Path) -> None:
    for suffix, expected in (("html", "my_joint_co"), ("tex", r"my\_joint\_co")):
        main(["report", str(results), "--out", str(tmp_path / f"r.{suffix}")])
        assert expected in (tmp_path / f"r.{suffix}").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report", "--out", "r.md"), "missing RESULT"),
        (("report", "EMPTY", "--out", "r.md"), "has no result files"),
        (("report", "RESULTS", "--out", "r.pdf"), "cannot be written as .pdf: name it .md, .html or .tex"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"EMPTY": str(tmp_path / "empty"), "RESULTS": str(results)}
    with pytest.raises(SystemExit):
        main([places.get(own, own) for own in arguments])
    assert message in capsys.readouterr().err


def test_a_file_that_is_no_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(IsthmusError, match=r"x.json: .*: delete it and evaluate again"):
        compare(result_files([tmp_path / "x.json"]))
