"""The pages that reproduce the papers run as they are printed, on tiny checkpoints and a handful of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import doc_pages


def commands(page: Path, name: str) -> list[list[str]]:
    return [own for _, text in doc_pages.blocks(page) for own in doc_pages.commands(text) if own[0] == name]


def results(folder: Path) -> dict[str, dict[str, object]]:
    """Every result by its path below ``results``."""
    found = (folder / "results").rglob("*.json")
    return {str(path.relative_to(folder / "results")): json.loads(path.read_text()) for path in found}


@pytest.mark.slow
def test_the_pages_run_from_downloads_to_the_tables(tmp_path: Path) -> None:
    script = Path(doc_pages.__file__).with_name("data_set_folders.py")
    doc_pages.run_offline(script, [tmp_path], tmp_path / "hf")
    copies = [tmp_path / name / f"{name}.md" for name in ("cmcr", "cmcm")]

    texts = (tmp_path / "cmcr" / "texts.txt").read_text().splitlines()
    assert len(texts) == len(set(texts)) == 4 * 10 + 5 + 10
    for page in copies:
        found = results(page.parent)
        asked = [own for own in commands(page, "evaluate") if "--listing" not in own]
        assert len(found) == len(asked) > 0
        assert {Path(path).stem for path in found} == {own[1] for own in asked}
        for path, result in found.items():
            coverage = result["details"]["coverage"]
            assert coverage["scored"] == coverage["expected"] >= 5, path
    cmcr, cmcm = ((page.parent / f"{page.stem}.html").read_text() for page in copies)
    assert all(figure in cmcr for figure in ("15.76", "48.08", "64.9", "50.91"))
    assert all(figure in cmcm for figure in ("36.8", "41.9", "†"))
