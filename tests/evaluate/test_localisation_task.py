"""Localisation and counterfactual tasks end to end: truth of annotations, trivial baselines, and resuming."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_benchmarks
from isthmus.cli import main
from isthmus.evaluate.annotations.data import DataItem, Sample
from isthmus.evaluate.running.journal import Journal
from isthmus.evaluate.running.localisation import _mask, _runs, truth_of
from isthmus.localize import ProposalLocalizer
from isthmus.metrics import ciou

ITEM = DataItem("a", "a", ("a",))


@pytest.fixture(scope="module")
def specs(checkpoints: Callable[[str], Path]) -> dict[str, str]:
    return {"image": f"clip:{checkpoints('clip')}", "audio": f"clap:{checkpoints('clap')}"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, specs: dict[str, str]) -> Path:
    folder = tmp_path_factory.mktemp("localise")
    tiny_benchmarks.write_connector(folder, specs)
    return folder


def command(task: str, root: Path, data: Path, specs: dict[str, str], out: Path, work: Path, *more: str) -> list[str]:
    where = ["--connector", root / "joint", "--data", data, "--work", work, "--out", out]
    how = ["--workers", "0", "--device", "cpu", "--space", *specs.values(), *more]
    return ["evaluate", task, *map(str, [*where, *how])]


def run(
    task: str, root: Path, data: Path, specs: dict[str, str], out: Path, *more: str, work: Path | None = None
) -> dict[str, Any]:
    main(command(task, root, data, specs, out, work or root / "work", *more))
    (written,) = out.rglob(f"{task}.json")
    return json.loads(written.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("by", ["proposals", "dense", "yolos"])
def test_localisation_scores_every_frame_beside_trivial_baselines(
    by: str, root: Path, specs: dict[str, str], tmp_path: Path, checkpoints: Callable[[str], Path]
) -> None:
    how = ["--detector", str(checkpoints(by))] if by == "yolos" else ["--by", by]
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss")
    result = run("vggss-localisation", root, data, specs, tmp_path / "out", *how)
    (path,) = (tmp_path / "out").rglob("*.json")
    assert path.parent.name.count("-") == (by != "proposals")  # another way to look is another revision
    (scores,) = result["scores"]["test"]
    # Boxes cover 0.4 by 0.8 of four frames; one of them has no area, and cannot be right.
    assert scores["whole_frame.mean_ciou"] == pytest.approx(0.75 * 0.32, abs=0.01)
    assert scores["whole_frame.ciou"] == 0.0
    centre = 0.25 * 0.5 / (0.32 + 0.25 - 0.25 * 0.5)
    assert scores["centre_box.mean_ciou"] == pytest.approx(0.75 * centre, abs=0.02)
    assert 0 <= scores["ciou"] <= 0.75
    assert result["details"]["subsets"]["default"]["without_truth"] == 1
    assert result["details"]["coverage"]["scored"] == 4


@pytest.mark.slow
def test_a_run_that_kill_9_ended_continues_after_the_last_sample(
    root: Path, specs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny_benchmarks.write_extended_vggss(tmp_path / "vggss")
    slow = (
        "import sys, time; import isthmus.evaluate.running.localisation as own; found = own._found\n"
        "def slowed(*given): time.sleep(0.4); return found(*given)\n"
        "own._found = slowed; from isthmus.cli import main; main(sys.argv[1:])"
    )
    work = tmp_path / "work"
    given = command("ex-vggss", root, data, specs, tmp_path / "killed", work)
    with subprocess.Popen([sys.executable, "-c", slow, *given], stderr=subprocess.DEVNULL) as running:
        while len(journal_lines(work)) < 3:
            assert running.poll() is None
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
    done = len(journal_lines(work))
    assert done < 10
    divided: list[str] = []
    real = ProposalLocalizer.parts
    monkeypatch.setattr(
        ProposalLocalizer, "parts", lambda own, items, *more: divided.extend(items) or real(own, items, *more)
    )
    again = run("ex-vggss", root, data, specs, tmp_path / "again", work=work)
    assert len(divided) <= 5 - done // 2
    whole = run("ex-vggss", root, data, specs, tmp_path / "whole", work=tmp_path / "other")
    assert again["scores"] == whole["scores"]


def journal_lines(work: Path) -> list[str]:
    return [line for path in (work / "localised").glob("*.jsonl") for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_counterfactual_figures_count_negatives_and_mark_the_public_protocol(
    root: Path, specs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_benchmarks.write_extended_vggss(tmp_path / "vggss")
    result = run("ex-vggss", root, data, specs, tmp_path / "own")
    (scores,) = result["scores"]["test"]
    facts = result["details"]["subsets"]["default"]
    assert (facts["positives"], facts["negatives"], facts["confidence"]) == (5, 5, "highest cosine")
    assert 0 <= scores["ap"] <= scores["loc_acc"] <= 0.8
    assert result["details"]["protocol"] == ""
    public = run("ex-vggss", root, data, specs, tmp_path / "public", "--protocol", "public")
    assert public["details"]["protocol"] == "public code"
    assert "by the protocol of the public code, which has known faults" in capsys.readouterr().out
    main(["report", str(tmp_path / "own"), str(tmp_path / "public"), "--out", str(tmp_path / "report.md")])
    text = (tmp_path / "report.md").read_text()
    assert "-public-protocol†" in text


def test_the_truth_of_several_annotators_is_their_consensus() -> None:
    left, right = (0.0, 0.0, 0.5, 1.0), (0.25, 0.0, 0.75, 1.0)
    sample = Sample(ITEM, ITEM, True, ((left,), (right,), ()))
    truth = truth_of(sample, agreeing=2)
    assert [truth[0, at] for at in (10, 80, 150, 200)] == [0.5, 1.0, 0.5, 0.0]
    union = truth_of(sample, agreeing=None)
    assert union.mean() == pytest.approx(0.75)
    nothing = truth_of(Sample(ITEM, ITEM, True, ((),)), agreeing=None)
    assert ciou(np.ones((224, 224), dtype=bool), nothing) == 0.0


@given(st.integers(0, 2**32 - 1))
def test_masks_are_what_their_runs_say(seed: int) -> None:
    mask = np.random.default_rng(seed).random((5, 7)) < np.random.default_rng(seed + 1).random()
    assert (_mask(_runs(mask)) == mask).all()


def test_a_line_that_was_cut_off_is_ignored_and_the_next_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('["a", 1]\n["b", ')
    journal = Journal(path)
    assert journal.known == {"a": 1}
    with journal.writing() as write:
        write("c", 3)
    assert Journal(path).known == {"a": 1, "c": 3}
