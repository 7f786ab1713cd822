"""A folder of images; a user's package with a space of its own, installed here and in the processes tests start."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import media_files

HERE = Path(__file__).parent


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the space in `hostile_space`, found through its entry point."""
    facts = tmp_path / "site" / "stage-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: stage\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[isthmus.spaces]\nstage = hostile_space:STAGE\n")
    added = [str(facts.parent), str(HERE)]
    monkeypatch.setattr(sys, "path", [*added, *sys.path])
    kept = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*added, *filter(None, kept)]))
    return "stage:here"


@pytest.fixture
def clip(checkpoints: Callable[[str], Path]) -> str:
    """The name of a tiny CLIP."""
    return f"clip:{checkpoints('clip')}"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of seven images."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(7):
        media_files.write_image(folder / f"{number}.png", number, (40 + number, 40))
    return folder
