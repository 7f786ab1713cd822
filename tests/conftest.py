"""Fixtures of all tests."""

import os
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
