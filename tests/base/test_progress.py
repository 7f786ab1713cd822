"""Progress: one convention (False, True or a callable) and one bar, which follows the stage it is told about."""

import sys

import pytest

from isthmus.base.progress import Progress, Stage, begin, counted, reporting


def test_code_inside_the_block_reports_there_and_nowhere_after_it() -> None:
    seen: list[Progress] = []
    with reporting(seen.append):
        begin("reading")
        assert list(counted(([1, 2], [3]), "fitting", 3)) == [[1, 2], [3]]
        with reporting(False):
            begin("hidden")
    begin("after")
    assert [(now.stage, now.done, now.total) for now in seen] == [
        ("reading", 0, None),
        ("fitting", 0, 3),
        ("fitting", 2, 3),
        ("fitting", 3, 3),
    ]


def test_where_stderr_is_not_a_terminal_each_stage_is_shown_when_it_begins_and_when_it_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with reporting(True) as report:
        report(Progress("reading", 0, None, 0.0, {}))
        assert capsys.readouterr().err == "reading\n"
        for done in range(4):
            report(Progress("training", done, 3, 2.0, {}))
    assert capsys.readouterr().err == "training  0/3\ntraining  3/3  2.0/s\n"


def test_a_terminal_gets_one_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with reporting(True) as report:
        report(Progress("training", 3, 600, 12.34, {"loss": 0.123456}))
    shown = capsys.readouterr().err
    assert "3/600" in shown
    assert "0:00:00" in shown


def test_a_callable_gets_every_report() -> None:
    seen: list[Progress] = []
    with reporting(seen.append) as report:
        for done in (1, 2):
            report(Progress("training", done, 2, 10.0, {"loss": 0.5}))
    assert [now.done for now in seen] == [1, 2]


def test_false_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(False) as report:
        report(Progress("training", 1, 2, 10.0, {}))
    assert capsys.readouterr() == ("", "")


def test_true_shows_the_last_state_of_the_last_stage_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(True) as report:
        report(Progress("embedding [text]", 7, 9, 10.0, {}))
        report(Progress("training", 3, 600, 12.34, {"loss": 0.123456, "unreadable": 2}))
    out, shown = capsys.readouterr()
    assert out == ""
    for part in ("training", "3/600", "12.3/s", "loss 0.12346", "unreadable 2"):
        assert part in " ".join(shown.split())


def test_a_stage_name_is_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(True) as report:
        report(Progress("read [b]", 1, None, 1.0, {}))
    assert "read [b]" in capsys.readouterr().err


def test_a_bar_without_a_report_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(True):
        pass
    assert capsys.readouterr().err.strip() == ""


def test_the_rate_counts_only_the_steps_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.base.progress.time.monotonic", lambda: 104.0)
    now = Stage("training", 100, first=20, started=100.0).at(60, loss=1.0)
    assert (now.done, now.total, now.rate, now.values) == (60, 100, 10.0, {"loss": 1.0})
