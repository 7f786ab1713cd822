"""The README's commands on folders run as printed."""

import json
from pathlib import Path

import pytest

import doc_pages
from isthmus.spaces.registry import families

README = doc_pages.DOCS.parent / "README.md"


@pytest.mark.slow
def test_photos_and_audio_from_nothing_to_search(tmp_path: Path) -> None:
    section = tmp_path / "section.md"
    section.write_text(README.read_text().split("## On your folders")[1].split("\n## ")[0])
    ((_, block),) = doc_pages.blocks(section)
    assert block.startswith("pip install")
    assert len(doc_pages.commands(block)) == 4
    printed = doc_pages.run_page_on_media(section, tmp_path).splitlines()
    hits = [json.loads(line) for line in printed if line.startswith('{"query"')]
    assert [found["query"] for found in hits] == sorted(f"{number}.wav" for number in range(doc_pages.ITEMS))
    assert all(len(found["hits"]) == 5 and found["hits"][0]["id"].endswith(".jpg") for found in hits)
    manifest = json.loads((tmp_path / "clip-set" / "manifest.json").read_text())
    assert manifest["modalities"]["image"]["revision"] == families()["clip"].revision
