"""Rows without given ids: sets remember it on disk, and nothing pairs their row numbers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isthmus import Embeddings, IsthmusError, Tokens, open_set
from isthmus.embeddings import EmbeddingWriter, TokenWriter, open_tokens, save_tokens
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
    del content["sha256"]
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(IsthmusError, match=r"manifest\.json: cannot be read"):
        read_manifest(tmp_path)


def rows(ids: object = None, count: int = 4) -> Embeddings:
    return Embeddings.from_array(np.eye(count), modality="text", space="clip", ids=ids)  # type: ignore[arg-type]


def tokens(ids: object = None) -> Tokens:
    vectors, places = np.eye(4, dtype=np.float32), np.zeros((4, 2), np.float32)
    return Tokens.from_arrays(
        vectors,
        np.arange(5),
        places,
        modality="text",
        space="clip",
        unit="characters",
        ids=ids,  # type: ignore[arg-type]
    )


def test_rows_without_ids_stay_numbered_through_everything(tmp_path: Path) -> None:
    made = rows()
    assert made.numbered
    assert made.ids == ["0", "1", "2", "3"]
    for number, found in enumerate(
        (made, made.take(np.array([3, 1])), made.select(["2"]), made.with_vectors(np.eye(4), space="x"))
    ):
        assert found.numbered
        again = Embeddings.open(found.save(tmp_path / str(number), shard_rows=2))
        assert again.numbered
        assert again.ids == found.ids
        assert again.take(np.array([0])).numbered


@pytest.mark.parametrize("ids", [range(4), ["0", "1", "2", "3"], ["0", "a", "b", "c"], ["a", "b", "c", "d"]])
def test_given_ids_stay_given_also_if_they_are_row_numbers(ids: object, tmp_path: Path) -> None:
    made = rows(ids)
    assert not made.numbered
    assert not Embeddings.open(made.save(tmp_path, shard_rows=2)).numbered
    assert not open_tokens(save_tokens(tokens(ids), tmp_path, shard_items=2)).numbered


def test_tokens_without_ids_stay_numbered_through_everything(tmp_path: Path) -> None:
    made = tokens()
    assert made.numbered
    assert made.take(np.array([2])).numbered
    assert not made.named(["a", "b", "c", "d"]).numbered
    assert open_tokens(save_tokens(made, tmp_path, shard_items=2)).numbered
    assert open_tokens(save_tokens(made.take(np.array([2, 3])), tmp_path / "some")).numbered


def test_ids_zero_to_n_of_a_set_that_does_not_say_count_as_row_numbers(tmp_path: Path) -> None:
    folder = rows(range(4)).save(save_tokens(tokens(range(4)), tmp_path))
    for file in (folder / "manifest.json", folder / "text_tokens" / "manifest.json"):
        content = json.loads(file.read_text())
        del content.get("modalities", {}).get("text", content)["numbered"], content["sha256"]
        file.write_text(json.dumps(content))
    assert open_set(folder)["text"].numbered
    assert open_tokens(folder).numbered


def test_numbered_rows_are_not_appended_to_rows_with_ids(tmp_path: Path) -> None:
    folder = rows(["a", "b", "c", "d"]).save(tmp_path)
    with pytest.raises(IsthmusError, match="its text rows have ids, not row numbers") as refusal:
        EmbeddingWriter(folder, modality="text", space="clip", dim=4, dtype="float32", numbered=True)
    assert refusal.value  # which holds the refused writer, but not its lock
    with EmbeddingWriter(folder, modality="text", space="clip", dim=4, dtype="float32") as writer:
        writer.append(np.eye(4), ["e", "f", "g", "h"])


def test_ids_are_not_appended_to_numbered_rows(tmp_path: Path) -> None:
    folder = rows().save(tmp_path)
    with pytest.raises(IsthmusError, match="its text rows have row numbers, not ids"):
        EmbeddingWriter(folder, modality="text", space="clip", dim=4, dtype="float32")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (None, ["a", "b", "c", "d"], "row numbers, not ids"),
        (["a", "b", "c", "d"], None, "ids, not row numbers"),
        (["0", "b", "c", "d"], None, "ids, not row numbers"),
    ],
)
def test_tokens_with_and_without_ids_are_not_mixed(before: object, after: object, problem: str, tmp_path: Path) -> None:
    save_tokens(tokens(before), tmp_path)
    writer = TokenWriter(tmp_path, modality="text", space="clip", dim=4, unit="characters")
    with pytest.raises(IsthmusError, match=f"its text tokens have {problem}"):
        writer.append(tokens(after))
