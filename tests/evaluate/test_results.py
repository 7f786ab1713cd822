"""Result files: MTEB's shape, one file each, whole or not at all, never replaced in silence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.results import TaskResult, read_result, task_result, write_result

FIGURES = {
    "seen.r1": 80.0,
    "seen.median_rank": 1.0,
    "seen.image_to_audio.r1": 82.0,
    "hard.r1": 70.0,
    "hard.median_rank": 2.0,
    "hard.image_to_audio.r1": 71.0,
}
RESULT = task_result("Digits", "abc", "0.1.0", FIGURES, 1.5)


def test_the_file_has_the_shape_of_mteb_result_files(tmp_path: Path) -> None:
    path = write_result(tmp_path, "isthmus/cmcr", "rev1", RESULT)
    assert path == tmp_path / "isthmus__cmcr" / "rev1" / "Digits.json"
    written = json.loads(path.read_text())
    assert (written["task_name"], written["dataset_revision"], written["evaluation_time"]) == ("Digits", "abc", 1.5)
    assert written["mteb_version"] is None  # without the field MTEB takes the file for one from before 2024
    subsets = {subset["hf_subset"]: subset for subset in written["scores"]["test"]}
    assert subsets["seen"] == {
        "hf_subset": "seen",
        "languages": ["eng-Latn"],
        "main_score": 0.8,
        "r1": 0.8,
        "median_rank": 1.0,
        "image_to_audio.r1": 0.82,
    }
    assert subsets["hard"]["main_score"] == 0.7


@pytest.mark.slow
def test_mteb_reads_the_file_and_we_read_its_own(tmp_path: Path) -> None:
    mteb_results = pytest.importorskip("mteb.results")
    path = write_result(tmp_path, "isthmus/cmcr", "rev1", RESULT)
    for historic in (True, False):
        read = mteb_results.TaskResult.from_disk(path, load_historic_data=historic)
        assert (read.task_name, read.dataset_revision, read.evaluation_time) == ("Digits", "abc", 1.5)
        assert read.get_score() == pytest.approx(0.75)
    assert {own["hf_subset"]: own["main_score"] for own in read.scores["test"]} == {"seen": 0.8, "hard": 0.7}
    read.to_disk(tmp_path / "by_mteb.json")
    again = read_result(tmp_path / "by_mteb.json")
    assert (again.task_name, again.scores, again.isthmus_version) == ("Digits", read.scores, None)


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Files of version 0.1 have no `mteb_version`."""
    before = {
        "dataset_revision": "abc",
        "evaluation_time": 1.5,
        "isthmus_version": "0.1.0",
        "scores": {"test": [{"hf_subset": "seen", "languages": ["eng-Latn"], "main_score": 0.8}]},
        "task_name": "Digits",
    }
    (tmp_path / "Digits.json").write_text(json.dumps(before))
    assert read_result(tmp_path / "Digits.json") == TaskResult("Digits", "abc", "0.1.0", before["scores"], 1.5)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    assert read_result(write_result(tmp_path, "m", "r", RESULT)) == RESULT


def test_the_same_scores_again_leave_the_file_as_it_is(tmp_path: Path) -> None:
    path = write_result(tmp_path, "m", "r", RESULT)
    before = path.read_bytes()
    assert write_result(tmp_path, "m", "r", replace(RESULT, evaluation_time=9.0)) == path
    assert path.read_bytes() == before


def test_other_scores_never_replace_a_file(tmp_path: Path) -> None:
    path = write_result(tmp_path, "m", "r", RESULT)
    before = path.read_bytes()
    other = task_result("Digits", "abc", "0.1.0", {**FIGURES, "seen.r1": 81.0}, 1.5)
    with pytest.raises(IsthmusError, match=r"Digits.json has other scores of the same model and revision: move"):
        write_result(tmp_path, "m", "r", other)
    assert path.read_bytes() == before


def test_an_interrupted_write_leaves_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        write_result(tmp_path, "m", "r", RESULT)
    monkeypatch.undo()
    assert list(tmp_path.rglob("*.json")) == []
    assert read_result(write_result(tmp_path, "m", "r", RESULT)) == RESULT


@pytest.mark.parametrize("content", ["{", "[]", '{"task_name": "x"}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "Digits.json"
    path.write_text(content)
    with pytest.raises(IsthmusError, match=r"Digits.json: .*: delete it and evaluate again"):
        read_result(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=r"absent.json: not found"):
        read_result(tmp_path / "absent.json")


@given(st.text(min_size=1, max_size=20))
def test_no_name_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("results")
    path = write_result(folder, name, name, TaskResult(name, "r", "0", {}, 0.0))
    assert len(path.resolve().relative_to(folder.resolve()).parts) == 3
    assert path.suffix == ".json"
