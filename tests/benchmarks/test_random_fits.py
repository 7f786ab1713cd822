"""A few random fits: none breaks the rule, and a broken one would be counted."""

import pytest

import random_fits


@pytest.mark.slow
def test_random_fits_end_in_a_connector_or_in_a_line() -> None:
    ended = [random_fits.outcome(1, number) for number in range(15)]
    assert [fault for how, fault in ended if how == "broken"] == []
    assert {how for how, _ in ended} == {"connected", "refused"}


def test_a_traceback_counts_as_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("nothing the user can act on")

    monkeypatch.setattr(random_fits, "judge", fail)
    ended = [random_fits.outcome(1, number)[0] for number in range(8)]
    assert set(ended) <= {"broken", "refused"}
    assert "broken" in ended
