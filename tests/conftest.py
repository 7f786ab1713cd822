"""Fixtures of all tests."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it skip where it is absent."""
    default = Path(__file__).parent.parent.parent / "shared" / "data"
    found = Path(os.environ.get("ISTHMUS_TEST_DATA", default))
    if not found.is_dir():
        pytest.skip("real data is absent: set ISTHMUS_TEST_DATA to its folder")
    return found


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A tiny checkpoint of a family by name, written once a session."""
    import tiny_checkpoints

    root = tmp_path_factory.mktemp("checkpoints")

    def folder(family: str) -> Path:
        written = root / family
        if not written.is_dir():
            getattr(tiny_checkpoints, f"write_{family}")(written)
        return written

    return folder
