"""Rows without given ids: sets remember it on disk, and nothing pairs their row numbers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus import IsthmusError
from isthmus.embeddings.manifest import (
    ModalityManifest,
    TokenManifest,
    agreed,
    commit,
    read_manifest,
    read_token_manifest,
    write_token_manifest,
)

ROWS = ModalityManifest("text", "clip", 8, "float16", True, ())


@pytest.mark.parametrize("numbered", [None, True, False])
def test_a_manifest_says_whether_ids_were_given(numbered: bool | None, tmp_path: Path) -> None:
    commit(tmp_path, replace(ROWS, numbered=numbered))
    assert read_manifest(tmp_path)["text"].numbered is numbered
    assert ("numbered" in (tmp_path / "manifest.json").read_text()) == (numbered is not None)
    tokens = TokenManifest("text", "clip", 8, "characters", "float16", numbered=numbered)
    write_token_manifest(tmp_path / "text_tokens", tokens)
    assert read_token_manifest(tmp_path / "text_tokens") == tokens


def test_given_ids_and_row_numbers_are_not_mixed_in_one_modality(tmp_path: Path) -> None:
    given, numbered = replace(ROWS, numbered=False), replace(ROWS, numbered=True)
    with pytest.raises(IsthmusError, match="its text rows have ids, not row numbers"):
        agreed(tmp_path, given, numbered)
    assert agreed(tmp_path, ROWS, given) is ROWS
    assert agreed(tmp_path, given, ROWS) is given


def test_a_manifest_with_an_odd_entry_about_ids_is_refused(tmp_path: Path) -> None:
    commit(tmp_path, replace(ROWS, numbered=True))
    content = json.loads((tmp_path / "manifest.json").read_text())
    content["modalities"]["text"]["numbered"] = "yes"
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(IsthmusError, match="not a manifest"):
        read_manifest(tmp_path)
