"""Embedding sets on disk: what is written is read, what was cut short or altered is named."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus import Embeddings, IsthmusError, open_set
from isthmus.embeddings import EmbeddingWriter, inspect_set, open_tokens, save_tokens, verify_set

WRITE_SLOWLY = """
import sys, time
import numpy as np
from isthmus.embeddings import EmbeddingWriter

writer = EmbeddingWriter(sys.argv[1], modality="image", space="clip", dim=8, dtype="float32", shard_rows=50)
rows = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float32)
for start in range(writer.rows_done, 1000, 50):
    writer.append(rows[start : start + 50], [f"id{row}" for row in range(start, start + 50)])
    print(writer.rows_done, flush=True)
    time.sleep(float(sys.argv[2]))
writer.close()
"""


def drawn(rows: int, dim: int = 8, seed: int = 0) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    return Embeddings.from_array(vectors, modality="image", space="clip", ids=[f"id{row}" for row in range(rows)])


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 70), shard_rows=st.integers(1, 40), block=st.integers(1, 50), seed=st.integers(0, 99))
def test_what_is_written_is_read(
    rows: int, shard_rows: int, block: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = drawn(rows, seed=seed)
    path = made.save(tmp_path_factory.mktemp("set"), shard_rows=shard_rows)
    found = Embeddings.open(path)
    assert (found.ids, found.modality, found.space, found.dim) == (made.ids, "image", "clip", 8)
    np.testing.assert_allclose(np.concatenate(list(found.batches(block))), made.vectors, atol=1e-6)
    np.testing.assert_allclose(found.vectors, made.vectors, atol=1e-6)
    some = np.random.default_rng(seed).permutation(rows)[: rows // 2 + 1]
    np.testing.assert_allclose(found.take(some).vectors, made.vectors[some], atol=1e-6)
    assert found.select([made.ids[row] for row in some]).ids == [made.ids[row] for row in some]
    verify_set(path)


def test_half_precision_rows_are_read_as_unit_float32(tmp_path: Path) -> None:
    made = drawn(100, dim=64)
    found = Embeddings.open(made.save(tmp_path, dtype="float16"))
    assert found.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.vectors, made.vectors, atol=1e-3)


def test_several_modalities_of_different_lengths_share_a_folder(tmp_path: Path) -> None:
    drawn(30).save(tmp_path)
    text = Embeddings.from_array(np.eye(8, dtype=np.float32), modality="text", space="clip")
    text.save(tmp_path)
    assert {name: len(rows) for name, rows in open_set(tmp_path).items()} == {"image": 30, "text": 8}
    with pytest.raises(IsthmusError, match=r"several modalities: choose one of image, text"):
        Embeddings.open(tmp_path)
    assert "image: 30 rows, 8 dimensions, space 'clip'" in inspect_set(tmp_path, verify=True)


@pytest.mark.slow
def test_a_killed_write_keeps_what_was_complete_and_goes_on(tmp_path: Path) -> None:
    script = [sys.executable, "-c", WRITE_SLOWLY, str(tmp_path / "killed")]
    job = subprocess.Popen([*script, "0.2"], stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None
    for line in job.stdout:
        if int(line) >= 150:
            break
    time.sleep(0.1)
    job.kill()
    job.wait()
    job.stdout.close()
    with pytest.raises(IsthmusError, match=r"image rows are unfinished: EmbeddingWriter .* run it again"):
        Embeddings.open(tmp_path / "killed")
    survived = len(Embeddings.open(tmp_path / "killed", unfinished=True))
    assert 150 <= survived < 1000
    subprocess.run([*script, "0"], check=True, capture_output=True)
    subprocess.run([*script[:3], str(tmp_path / "whole"), "0"], check=True, capture_output=True)
    killed, whole = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("killed", "whole"))
    assert killed == whole


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    drawn(500).save(tmp_path, shard_rows=100)
    found = Embeddings.open(tmp_path)
    for shard in found._rows.parts:
        shard.path.unlink()  # type: ignore[union-attr]
        assert isinstance(shard.vectors, np.memmap)  # type: ignore[union-attr]
    assert len(found) == 500


def clip_retrieval_folder(folder: Path, rows: int = 20) -> Path:
    """As clip-retrieval writes it: no manifest, img_emb and text_emb, one shared metadata folder."""
    draw = np.random.default_rng(0)
    for name in ("img", "text"):
        (folder / f"{name}_emb").mkdir(parents=True)
        for shard in range(2):
            np.save(folder / f"{name}_emb" / f"{name}_emb_{shard}.npy", draw.normal(size=(rows, 6)).astype(np.float16))
    (folder / "metadata").mkdir()
    for shard in range(2):
        paths = [f"pictures/{shard}_{row}.jpg" for row in range(rows)]
        table = pyarrow.table({"image_path": paths, "caption": ["a dog"] * rows})
        pyarrow.parquet.write_table(table, folder / "metadata" / f"metadata_{shard}.parquet")
    return folder


def test_a_folder_of_clip_retrieval_opens_as_it_is(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="39 of 40 texts repeat an earlier caption"):
        found = open_set(clip_retrieval_folder(tmp_path / "laion"))
    assert set(found) == {"image", "text"}
    assert found["image"].space == "laion"
    assert len(found["image"]) == 40
    assert found["image"].ids[21] == "pictures/1_1.jpg"
    np.testing.assert_allclose(np.linalg.norm(found["text"].vectors, axis=1), 1, atol=1e-6)
    with pytest.warns(UserWarning, match="texts repeat"):
        assert open_set(tmp_path / "laion", space="clip")["text"].space == "clip"


def test_damage_is_named_with_file_and_remedy(tmp_path: Path) -> None:
    folder = drawn(40).save(tmp_path / "set", shard_rows=20)
    shard = folder / "image_emb" / "image_emb_1.npy"
    whole = shard.read_bytes()

    shard.write_bytes(whole[:-7])
    with pytest.raises(IsthmusError, match=r"image_emb_1\.npy: cannot be read \(truncated"):
        open_set(folder)
    np.save(shard, np.ones((20, 8), np.float64))
    with pytest.raises(IsthmusError, match=r"image_emb_1\.npy: float64 of shape"):
        open_set(folder)
    np.save(shard, np.ones((19, 8), np.float32))
    with pytest.raises(IsthmusError, match=r"image_emb_1\.npy: shape \(19, 8\), but the manifest says \(20, 8\)"):
        open_set(folder)
    np.save(shard, np.ones((20, 8), np.float16))
    with pytest.raises(IsthmusError, match=r"image_emb_1\.npy: dtype float16, but the manifest says float32"):
        open_set(folder)
    altered = bytearray(whole)
    altered[-1] ^= 1
    shard.write_bytes(bytes(altered))
    open_set(folder)
    with pytest.raises(IsthmusError, match=r"image_emb_1\.npy: altered or truncated"):
        verify_set(folder)
    shard.unlink()
    with pytest.raises(IsthmusError, match=r"image_emb_1\.npy: not found"):
        open_set(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(IsthmusError, match=r"manifest\.json: "):
        open_set(folder)
    with pytest.raises(IsthmusError, match="no such folder"):
        open_set(tmp_path / "nowhere")
    with pytest.raises(IsthmusError, match="not an embedding set"):
        open_set(tmp_path)


def test_bad_rows_are_refused_by_number() -> None:
    rows = np.ones((5, 3), np.float32)
    broken = rows.copy()
    broken[3, 1] = np.nan
    zero = rows.copy()
    zero[2] = 0
    cases = [
        (broken, None, "row 3 contains NaN or infinity"),
        (zero, None, "row 2 is zero and has no direction"),
        (rows[0], None, r"expected shape \(rows, dimensions\), got \(3,\)"),
        (rows.astype(np.int32), None, "expected floating-point numbers, got int32"),
        (rows, list("abcab"), "duplicate id 'a' in row 3"),
        (rows, list("abc"), "3 ids for 5 rows"),
    ]
    for vectors, ids, message in cases:
        with pytest.raises(IsthmusError, match=message):
            Embeddings.from_array(vectors, modality="image", space="clip", ids=ids)


def test_rows_of_another_kind_are_not_added_to_a_set(tmp_path: Path) -> None:
    drawn(10).save(tmp_path)
    with pytest.raises(IsthmusError, match=r"its image rows have space 'clip', not 'siglip'"):
        EmbeddingWriter(tmp_path, modality="image", space="siglip", dim=8, dtype="float32")
    writer = EmbeddingWriter(tmp_path, modality="image", space="clip", dim=8, dtype="float32")
    with pytest.raises(IsthmusError, match="5 dimensions, but the set has 8"):
        writer.append(np.ones((2, 5), np.float32), ["a", "b"])


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(IsthmusError, match="no image row has id 'x': ids look like 'id0'"):
        drawn(3).select(["id1", "x"])


def test_saving_twice_is_refused_and_leaves_the_set_as_it_was(tmp_path: Path) -> None:
    made = drawn(20)
    made.save(tmp_path, shard_rows=7)
    with pytest.raises(IsthmusError, match="already has 20 image rows"):
        made.save(tmp_path, shard_rows=7)
    assert Embeddings.open(tmp_path).ids == made.ids


@pytest.mark.parametrize("size", [1e30, 1e-30, 1e300])
def test_rows_of_any_length_become_unit_rows(size: float) -> None:
    rows = np.random.default_rng(0).standard_normal((5, 8)) * size
    found = Embeddings.from_array(rows, modality="image", space="clip").vectors
    np.testing.assert_allclose(
        found,
        rows
        / np.abs(rows).max(1, keepdims=True)
        / np.linalg.norm(rows / np.abs(rows).max(1, keepdims=True), axis=1, keepdims=True),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([-3, 2], "no row -3 in"),
        ([1.5], "expected a list of row numbers"),
        ([[1], [2]], "expected a list of row numbers"),
    ],
)
def test_rows_that_cannot_be_taken_are_named(index: list, message: str) -> None:
    with pytest.raises(IsthmusError, match=message):
        drawn(5).take(np.array(index))


def test_a_mask_takes_the_rows_it_marks_and_int_ids_select() -> None:
    made = drawn(4)
    assert made.take(np.array([True, False, False, True])).ids == ["id0", "id3"]
    numbered = Embeddings.from_array(made.vectors, modality="image", space="clip", ids=[7, 8, 9, 10])
    assert numbered.select([9]).ids == ["9"]


@pytest.mark.parametrize("modality", ["", "../up", "a/b"])
def test_a_modality_that_could_name_another_folder_is_refused(modality: str) -> None:
    with pytest.raises(IsthmusError, match="use letters, digits"):
        Embeddings.from_array(np.eye(3), modality=modality, space="clip")


SAVED = Path(__file__).parent.parent / "saved_by_0_1" / "set-clip"


def as_by_0_1(manifest: Path) -> str:
    """A manifest without the hashes that version 0.1 did not write: its own, and those of the ids of tokens."""
    content = json.loads(manifest.read_text())
    content.pop("sha256", None)
    for shard in content.get("shards", ()):
        shard["sha256"].pop("ids", None)
    return json.dumps(content, indent=1) + "\n"


def test_a_set_is_written_in_the_format_of_0_1(tmp_path: Path) -> None:
    for rows in open_set(SAVED).values():
        rows.save(tmp_path, dtype="float16", shard_rows=32)
    before, after = (as_by_0_1(folder / "manifest.json") for folder in (SAVED, tmp_path))
    assert before == (SAVED / "manifest.json").read_text()
    assert re.sub("[0-9a-f]{64}", "", after) == re.sub("[0-9a-f]{64}", "", before)
    for name, rows in open_set(tmp_path).items():
        np.testing.assert_allclose(rows.vectors, open_set(SAVED)[name].vectors, atol=1e-3)


def test_tokens_are_written_byte_for_byte_as_by_0_1(tmp_path: Path) -> None:
    for modality in ("image", "text"):
        save_tokens(open_tokens(SAVED, modality), tmp_path, shard_items=32)
        files = sorted((SAVED / f"{modality}_tokens").iterdir())
        assert len(files) == len(list((tmp_path / f"{modality}_tokens").iterdir()))
        for file in files:
            after = tmp_path / f"{modality}_tokens" / file.name
            if file.name == "manifest.json":
                assert as_by_0_1(after) == file.read_text()
            else:
                assert after.read_bytes() == file.read_bytes()
