"""Fixtures of all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # One process a core: threads of several processes on the same cores would wait for each other at every barrier.
    # Set before torch is imported; the programs that tests start inherit it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from isthmus.worlds.digits.digits_world import DigitsWorld
    from two_views import DrawTwoViews


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Doctests are looked for in every module, but two modules named conftest cannot be imported as one."""
    return True if collection_path.name == "conftest.py" else None


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


@pytest.fixture(scope="session")
def digits() -> DigitsWorld:
    """The digits world that ships with the package, opened once a session."""
    from isthmus.worlds.digits.build import build

    return build()


@pytest.fixture(scope="session")
def draw_two_views() -> DrawTwoViews:
    """Draws two random linear views of one latent as materials whose truth is known."""
    from two_views import draw

    return draw
