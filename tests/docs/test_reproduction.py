"""The pages that reproduce the papers run as they are printed, on tiny checkpoints and a handful of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import doc_pages
from data_set_folders import write_cmcr_folder

CMCR = doc_pages.DOCS / "reproduce" / "cmcr.md"


@pytest.mark.slow
def test_the_page_on_cmcr_runs_from_texts_to_the_tables(tmp_path: Path) -> None:
    folder = tmp_path / "reproduction"
    write_cmcr_folder(folder, tmp_path / "hf")
    copy = folder / CMCR.name
    copy.write_bytes(CMCR.read_bytes())
    doc_pages.run_in_folders([copy], tmp_path / "hf")

    texts = (folder / "texts.txt").read_text().splitlines()
    assert len(texts) == len(set(texts)) == 4 * 10 + 5 + 10
    asked = [own for _, text in doc_pages.blocks(CMCR) for own in doc_pages.commands(text) if own[0] == "evaluate"]
    written = {path.stem for path in (folder / "results").rglob("*.json")}
    assert {arguments[1] for arguments in asked} <= written
    for path in (folder / "results").rglob("*.json"):
        coverage = json.loads(path.read_text())["details"]["coverage"]
        assert coverage["scored"] == coverage["expected"] >= 5, path.name
    page = (folder / "cmcr.html").read_text()
    assert all(figure in page for figure in ("15.76", "48.08", "64.9", "50.91"))
