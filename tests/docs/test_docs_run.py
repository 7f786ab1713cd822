"""The code of the documentation runs as it is printed, on tiny data; every public name is on an API page."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import doc_pages
import isthmus

LATENT = 8


def write_vectors(folder: Path) -> None:
    """What the engineer has: vectors of the same captions from two encoders, of images and of sounds."""
    random = np.random.default_rng(0)
    captions, images, sounds = (random.standard_normal((rows, LATENT)) for rows in (300, 220, 210))
    for space, dim, own, kind in (("clip", 32, images, "images"), ("clap", 24, sounds, "sounds")):
        view = random.standard_normal((LATENT, dim))
        for name, latent in (("texts", captions), (kind, own)):
            rows = latent @ view + 0.3 * random.standard_normal((len(latent), dim))
            np.save(folder / f"{space}_{name}.npy", rows.astype(np.float32))
    for file, rows in (("captions.txt", captions), ("image_files.txt", images), ("sound_files.txt", sounds)):
        (folder / file).write_text("".join(f"{file[:5]} {row}\n" for row in range(len(rows))))


def write_nothing(folder: Path) -> None:
    """The page makes its own data."""


@pytest.mark.parametrize(
    ("page", "write"), [("tutorials/engineer.md", write_vectors), ("tutorials/researcher.md", write_nothing)]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_page_runs(page: str, write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    doc_pages.run_page(doc_pages.DOCS / page)


@pytest.mark.slow
def test_a_folder_of_media_runs(tmp_path: Path) -> None:
    printed = doc_pages.run_page_on_media(doc_pages.DOCS / "tutorials" / "folder.md", tmp_path)
    assert (tmp_path / "text-hits.jsonl").read_text().count('"query"') == 40
    assert sum(line.startswith('{"item"') for line in printed.splitlines()) == doc_pages.ITEMS


def test_every_public_name_has_a_place_in_the_api_pages() -> None:
    pages = "".join(page.read_text() for page in sorted((doc_pages.DOCS / "api").glob("*.md")))
    assert sorted(re.findall(r"^::: isthmus\.(\w+)$", pages, re.MULTILINE)) == sorted(isthmus.__all__)
