"""Progress: one convention (False, True or a callable) and one bar, which follows the stage it is told about."""

import pytest

from isthmus.base.progress import Progress, Stage, reporting


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
