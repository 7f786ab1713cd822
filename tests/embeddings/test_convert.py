"""Vectors from elsewhere become the same set, and what cannot is named."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from isthmus import Embeddings, IsthmusError, convert
from isthmus.cli import main
from isthmus.embeddings import EmbeddingWriter, verify_set

ROWS = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
IDS = [f"photo {row}" for row in range(60)]


def as_npy(folder: Path) -> dict:
    np.save(folder / "rows.npy", ROWS)
    (folder / "ids.txt").write_text("\n".join(IDS) + "\n")
    return {"source": folder / "rows.npy", "ids": folder / "ids.txt"}


def as_parquet(folder: Path, kind: pyarrow.DataType | None = None, ids: str = "id") -> dict:
    column = pyarrow.array(ROWS.tolist(), kind or pyarrow.list_(pyarrow.float32()))
    pyarrow.parquet.write_table(pyarrow.table({"embedding": column, ids: IDS}), folder / "rows.parquet")
    return {"source": folder / "rows.parquet"}


def as_fixed_lists(folder: Path) -> dict:
    return as_parquet(folder, pyarrow.list_(pyarrow.float64(), 8))


def as_parquet_folder(folder: Path) -> dict:
    for number, rows in enumerate((slice(0, 25), slice(25, 60))):
        column = pyarrow.array(ROWS[rows].tolist(), pyarrow.list_(pyarrow.float32()))
        table = pyarrow.table({"embedding": column, "id": IDS[rows]})
        pyarrow.parquet.write_table(table, folder / f"part_{number}.parquet")
    return {"source": folder}


def as_clip_retrieval(folder: Path) -> dict:
    (folder / "img_emb").mkdir()
    (folder / "metadata").mkdir()
    for number, rows in enumerate((slice(0, 40), slice(40, 60))):
        np.save(folder / "img_emb" / f"img_emb_{number}.npy", ROWS[rows])
        pyarrow.parquet.write_table(
            pyarrow.table({"key": IDS[rows]}), folder / "metadata" / f"metadata_{number}.parquet"
        )
    return {"source": folder}


@pytest.mark.parametrize("lay_out", [as_npy, as_parquet, as_fixed_lists, as_parquet_folder, as_clip_retrieval])
def test_every_source_gives_the_same_set(lay_out: Callable[[Path], dict], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    given = lay_out(source)
    convert(**given, out=tmp_path / "set", modality="image", space="clip", dtype="float32", shard_rows=17)
    found = Embeddings.open(tmp_path / "set")
    assert found.ids == IDS
    np.testing.assert_allclose(found.vectors, ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True), atol=1e-6)
    verify_set(tmp_path / "set")


def test_a_conversion_goes_on_after_its_last_whole_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = as_npy(tmp_path)
    kind = {"modality": "image", "space": "clip", "shard_rows": 17}
    convert(**given, out=tmp_path / "whole", **kind)
    out = tmp_path / "set"
    monkeypatch.setattr(EmbeddingWriter, "close", lambda writer: sys.exit("stopped"))
    with pytest.raises(SystemExit):
        convert(**given, out=out, **kind)
    monkeypatch.undo()
    kept = out / "image_emb" / "image_emb_1.npy"
    written = kept.stat().st_mtime_ns
    with pytest.raises(IsthmusError, match="image rows are unfinished: isthmus convert"):
        Embeddings.open(out)
    assert len(Embeddings.open(out, unfinished=True)) == 51
    convert(**given, out=out, **kind)
    assert (out / "manifest.json").read_text() == (tmp_path / "whole" / "manifest.json").read_text()
    assert kept.stat().st_mtime_ns == written
    assert Embeddings.open(out).ids == IDS


def test_from_the_command_line_a_set_is_made_and_described(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    given = as_parquet(tmp_path)
    main(["convert", str(given["source"]), "--out", str(tmp_path / "set"), "--modality", "image", "--space", "clip"])
    printed = capsys.readouterr().out
    rows = ROWS / np.linalg.norm(ROWS.astype(np.float64), axis=1, keepdims=True)
    cosine = (rows @ rows.T)[~np.eye(60, dtype=bool)].mean()
    assert "image: 60 rows, 8 dimensions, space 'clip'" in printed
    assert f"mean cosine of two rows {cosine:.2f}" in printed
    assert "ids like 'photo 0', 'photo 1', 'photo 2'" in printed
    assert Embeddings.open(tmp_path / "set").ids == IDS


def few_ids(folder: Path) -> dict:
    given = as_npy(folder)
    given["ids"].write_text("one\n")
    return given


def ragged(folder: Path) -> dict:
    rows = ROWS.tolist()
    rows[7] = rows[7][:3]
    pyarrow.parquet.write_table(pyarrow.table({"embedding": rows, "id": IDS}), folder / "rows.parquet")
    return {"source": folder / "rows.parquet"}


def no_vectors(folder: Path) -> dict:
    pyarrow.parquet.write_table(pyarrow.table({"vector": ROWS.tolist(), "id": IDS}), folder / "rows.parquet")
    return {"source": folder / "rows.parquet"}


def numbers_for_vectors(folder: Path) -> dict:
    pyarrow.parquet.write_table(pyarrow.table({"embedding": ROWS[:, 0], "id": IDS}), folder / "rows.parquet")
    return {"source": folder / "rows.parquet"}


def other_id_column(folder: Path) -> dict:
    return as_parquet(folder, ids="url")


def text_file(folder: Path) -> dict:
    (folder / "rows.txt").write_text("1 2 3")
    return {"source": folder / "rows.txt"}


def not_parquet(folder: Path) -> dict:
    (folder / "rows.parquet").write_text("no parquet")
    return {"source": folder / "rows.parquet"}


@pytest.mark.parametrize(
    ("lay_out", "message"),
    [
        (few_ids, "1 ids for the 60 rows"),
        (ragged, "row 7 has no vector or one of another length"),
        (no_vectors, "no column 'embedding'"),
        (numbers_for_vectors, "choose one with lists of floats"),
        (other_id_column, "try --id-column url"),
        (text_file, "pass an .npy file"),
        (not_parquet, "cannot be read .*Parquet"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(lay_out: Callable[[Path], dict], message: str, tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=message):
        convert(**lay_out(tmp_path), out=tmp_path / "set", modality="image", space="clip")


def test_rows_taken_from_a_set_on_disk_are_read_when_asked(tmp_path: Path) -> None:
    convert(**as_npy(tmp_path), out=tmp_path / "set", modality="image", space="clip", dtype="float32")
    found = Embeddings.open(tmp_path / "set")
    index = np.array([50, 3, 17, 59, 0])
    taken = found.take(index)
    assert taken.ids == [IDS[row] for row in index]
    np.testing.assert_allclose(np.concatenate(list(taken.batches(2))), found.vectors[index], atol=1e-7)
    np.testing.assert_allclose(taken.take(np.array([2, 0])).vectors, found.vectors[[17, 50]], atol=1e-7)


def test_another_source_is_not_mixed_into_a_set(tmp_path: Path) -> None:
    convert(**as_npy(tmp_path), out=tmp_path / "set", modality="image", space="clip")
    np.save(tmp_path / "rows.npy", ROWS[::-1])
    with pytest.raises(IsthmusError, match=r"preprocessing 'converted from .*write to another folder"):
        convert(tmp_path / "rows.npy", tmp_path / "set", modality="image", space="clip")


def test_an_id_in_two_files_is_refused_before_it_is_written(tmp_path: Path) -> None:
    given = as_parquet_folder(tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "part_1.parquet")
    pyarrow.parquet.write_table(table.slice(0, 3), tmp_path / "part_2.parquet")
    with pytest.raises(IsthmusError, match=r"id 'photo 25' is already in"):
        convert(**given, out=tmp_path / "set", modality="image", space="clip", shard_rows=10)


def test_a_file_of_ids_goes_with_npy_only(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("\n".join(IDS))
    with pytest.raises(IsthmusError, match=r"--ids only works with \.npy input"):
        convert(**as_parquet(tmp_path), ids=tmp_path / "ids.txt", out=tmp_path / "set", modality="image", space="clip")


def test_a_row_without_a_vector_is_named(tmp_path: Path) -> None:
    rows: list = ROWS.tolist()
    rows[0] = None
    table = pyarrow.table({"embedding": pyarrow.array(rows, pyarrow.list_(pyarrow.float32())), "id": IDS})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(IsthmusError, match="row 0 has no vector"):
        convert(tmp_path / "rows.parquet", tmp_path / "set", modality="image", space="clip")


@pytest.mark.filterwarnings("ignore:the .* side has no memory")
def test_arrays_whose_rows_correspond_are_paired_by_row_ids(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS)
    for number, space in enumerate(("clip", "clap")):
        convert(tmp_path / "rows.npy", tmp_path / f"numbered-{number}", modality="text", space=space)
        out = convert(tmp_path / "rows.npy", tmp_path / space, modality="text", space=space, row_ids=True)
        assert not Embeddings.open(out).numbered
        assert Embeddings.open(tmp_path / f"numbered-{number}").numbered
    arguments = ["connect", "--method", "procrustes", "--out", str(tmp_path / "joint")]
    main([*arguments, str(tmp_path / "clip"), str(tmp_path / "clap")])
    with pytest.raises(SystemExit):
        main([*arguments, str(tmp_path / "numbered-0"), str(tmp_path / "numbered-1")])
    with pytest.raises(IsthmusError, match="write to another folder"):
        convert(tmp_path / "rows.npy", tmp_path / "numbered-0", modality="text", space="clip", row_ids=True)


def test_row_ids_number_the_rows_of_all_files_of_a_folder(tmp_path: Path) -> None:
    as_parquet_folder(tmp_path)
    out = convert(tmp_path, tmp_path / "set", modality="text", space="clip", row_ids=True)
    assert Embeddings.open(out).ids == [str(row) for row in range(60)]


def test_a_bad_row_of_a_folder_of_files_is_named_with_its_file_and_row(tmp_path: Path) -> None:
    as_parquet_folder(tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "part_1.parquet")
    vectors = table.column("embedding").to_pylist()
    vectors[3] = [0.0] * 8
    column = pyarrow.array(vectors, pyarrow.list_(pyarrow.float32()))
    pyarrow.parquet.write_table(table.set_column(0, "embedding", column), tmp_path / "part_1.parquet")
    with pytest.raises(IsthmusError, match=r"part_1\.parquet: column 'embedding': row 3 is zero"):
        convert(tmp_path, tmp_path / "set", modality="text", space="clip")


def test_ids_can_be_taken_from_another_column_of_a_sets_metadata(tmp_path: Path) -> None:
    with EmbeddingWriter(tmp_path / "set", modality="image", space="clip", dim=8) as writer:
        writer.append(ROWS, IDS, [{"name": f"n{row}"} for row in range(60)])
    out = convert(tmp_path / "set", tmp_path / "other", modality="image", space="clip", id_column="name")
    assert Embeddings.open(out).ids[:2] == ["n0", "n1"]
    with pytest.raises(IsthmusError, match="no column 'title'"):
        convert(tmp_path / "set", tmp_path / "more", modality="image", space="clip", id_column="title")


def with_a_repaired_row(given: dict) -> None:
    """Another vector far beyond the first megabyte, under the same name, size and time."""
    rows = np.load(given["source"])
    rows[-1] = rows[-2][::-1]
    before = given["source"].stat()
    np.save(given["source"], rows)
    os.utime(given["source"], ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_source_that_was_repaired_somewhere_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    given = {"source": tmp_path / "rows.npy"}
    np.save(given["source"], np.random.default_rng(0).standard_normal((40_000, 8)).astype(np.float32))
    convert(**given, out=tmp_path / "set", modality="image", space="clip", shard_rows=10_000)
    before = (tmp_path / "set" / "manifest.json").read_text()
    convert(**given, out=tmp_path / "set", modality="image", space="clip", shard_rows=10_000)
    with_a_repaired_row(given)
    with pytest.raises(IsthmusError, match=r"converted from .*write to another folder"):
        convert(**given, out=tmp_path / "set", modality="image", space="clip", shard_rows=10_000)
    assert (tmp_path / "set" / "manifest.json").read_text() == before


def test_another_column_of_the_same_file_is_another_source(tmp_path: Path) -> None:
    columns = {"embedding": ROWS.tolist(), "other": ROWS[::-1].tolist(), "id": IDS}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet")
    given = {"source": tmp_path / "rows.parquet", "out": tmp_path / "set", "modality": "image", "space": "clip"}
    convert(**given)
    with pytest.raises(IsthmusError, match=r"converted from .*write to another folder"):
        convert(**given, vectors_column="other")


@pytest.mark.parametrize("name", ["img", "text"])
def test_a_clip_retrieval_folder_becomes_a_set_in_place_and_keeps_its_files(name: str, tmp_path: Path) -> None:
    folder = as_clip_retrieval(tmp_path)["source"]
    if name == "text":
        (folder / "img_emb").rename(folder / "text_emb")
        for file in sorted((folder / "text_emb").iterdir()):
            file.rename(file.with_name(file.name.replace("img", "text")))
    before = {file: file.read_bytes() for file in folder.rglob("*.*") if file.is_file()}
    modality = "image" if name == "img" else "text"
    for _ in range(2):
        convert(folder, folder, modality=modality, space="clip", dtype="float32", shard_rows=17)
        found = Embeddings.open(folder, modality)
        assert found.ids == IDS
        np.testing.assert_allclose(found.vectors, ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True), atol=1e-6)
        assert all(file.read_bytes() == content for file, content in before.items())
    verify_set(folder)


def test_a_source_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = as_npy(tmp_path)
    real = EmbeddingWriter.append

    def append_and_alter(writer: EmbeddingWriter, *rows: object) -> None:
        real(writer, *rows)  # type: ignore[arg-type]
        given["ids"].write_text("altered")

    monkeypatch.setattr(EmbeddingWriter, "append", append_and_alter)
    with pytest.raises(IsthmusError, match=r"ids\.txt: has changed while it was being converted"):
        convert(**given, out=tmp_path / "set", modality="image", space="clip", shard_rows=17)
    with pytest.raises(IsthmusError, match="unfinished"):
        Embeddings.open(tmp_path / "set")
