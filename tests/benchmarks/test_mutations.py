"""A small budget of the mutation benchmark: no kind of file ends in a bare traceback, a hang or another answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutations import cases
from worlds.artifacts import KINDS, Kind

FIRST_SEED, EACH = 1000, 8


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.replace(", ", "-").replace(" ", "-"))
def test_a_mutated_file_is_refused_by_name_or_has_no_effect(kind: Kind, tmp_path: Path) -> None:
    found = list(cases(kind, range(FIRST_SEED, FIRST_SEED + EACH), tmp_path))
    assert len(found) == EACH
    bad = [f"seed {case.seed}, {case.mutation}: {case.detail}" for case in found if case.outcome == "bad"]
    assert not bad
    assert any(case.outcome == "refused" for case in found)
