"""Ids: text is kept to the last character, other types are spelled out or refused, and errors name the right row."""

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from isthmus import Embeddings, IsthmusError, Tokens, convert
from isthmus.embeddings import EmbeddingWriter, open_tokens, save_tokens


def made(ids: object, rows: int = 3) -> Embeddings:
    return Embeddings.from_array(np.eye(rows), modality="text", space="clip", ids=ids)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", "b\0", "b"], ["a", "b\0", "b"]),
        ([0, 7, -1], ["0", "7", "-1"]),
        (range(3), ["0", "1", "2"]),
        (np.array([5, 6, 7], np.uint8), ["5", "6", "7"]),
        (np.array([b"x", "ä".encode(), b"z"]), ["x", "ä", "z"]),
        (np.array([b"x", b"yy", "z"], object), ["x", "yy", "z"]),
        ([Path("a/b.png"), "c", np.str_("d")], ["a/b.png", "c", "d"]),
        (iter("abc"), ["a", "b", "c"]),
    ],
)
def test_ids_are_text(given: object, expected: list[str]) -> None:
    found = made(given)
    assert (found.ids, found.numbered) == (expected, False)
    assert all(type(name) is str for name in found.ids)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a", None, "c"], "the id of row 1 is None, a NoneType"),
        ([0.0, 1.0, float("nan")], "the id of row 0 is 0.0, a float"),
        (["a", ["b"], "c"], "the id of row 1 is .*, a list"),
        ([b"a", b"\xff", b"c"], "the id of row 1, .*, is not UTF-8 text"),
        (["a", "b", "c\udcff"], "the id of row 2, .*, is not valid Unicode"),
        ([True, False, 2], "the id of row 0 is True, a bool"),
        ("abc", "ids are one str"),
        ({"a", "b", "c"}, "ids are one set"),
        ([1, "1", 2], "duplicate id '1' in row 1"),
    ],
)
def test_what_cannot_be_an_id_is_refused_with_its_row(given: object, message: str) -> None:
    with pytest.raises(IsthmusError, match=message):
        made(given)


def test_binary_ids_of_a_parquet_file_are_decoded(tmp_path: Path) -> None:
    vectors = pyarrow.array(np.eye(2, dtype=np.float32).tolist(), pyarrow.list_(pyarrow.float32()))
    table = pyarrow.table({"embedding": vectors, "id": pyarrow.array([b"a", b"b"], pyarrow.binary())})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    convert(tmp_path / "rows.parquet", tmp_path / "set", modality="image", space="clip")
    assert Embeddings.open(tmp_path / "set").ids == ["a", "b"]


def test_a_byte_order_mark_is_not_part_of_the_first_id(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfa\r\nb\r\nc\r\n")
    convert(tmp_path / "rows.npy", tmp_path / "set", modality="image", space="clip", ids=tmp_path / "ids.txt")
    assert Embeddings.open(tmp_path / "set").ids == ["a", "b", "c"]


def test_integer_ids_appended_in_two_runs_are_one_set(tmp_path: Path) -> None:
    kind = {"modality": "image", "space": "clip", "dim": 3}
    for ids in ([0, 1, 2], [3, 4, 5]):
        with EmbeddingWriter(tmp_path, **kind) as writer:  # type: ignore[arg-type]
            writer.append(np.eye(3), ids)
    found = Embeddings.open(tmp_path)
    assert (found.ids, found.numbered) == (["0", "1", "2", "3", "4", "5"], False)
    with EmbeddingWriter(tmp_path, **kind) as writer, pytest.raises(IsthmusError, match="id '5' is already in"):  # type: ignore[arg-type]
        writer.append(np.eye(3), [5, 6, 7])


def test_metadata_columns_are_those_of_all_rows(tmp_path: Path) -> None:
    with EmbeddingWriter(tmp_path, modality="image", space="clip", dim=3) as writer:
        writer.append(np.eye(3), ["a", "b", "c"], [{}, {"width": 3}, {"width": 2.5, "title": "x"}])
        writer.append(np.eye(3), ["d", "e", "f"])
    table = pyarrow.parquet.read_table(tmp_path / "image_metadata" / "metadata_0.parquet")
    assert table.column("width").to_pylist() == [None, 3.0, 2.5, None, None, None]
    assert table.column("title").to_pylist() == [None, None, "x", None, None, None]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ([{"a": 1}, {"a": "x"}, {}], "column 'a' of the metadata has numbers in rows before row 4, which has text"),
        ([{}, {}], "metadata of 2 rows for 3 rows"),
        ([{}, {"id": "other"}, {}], "the metadata of row 4 has the id 'other', but its id is 'e'"),
    ],
)
def test_metadata_that_fits_no_table_is_refused_before_any_row_is_taken(
    metadata: list[dict[str, object]], message: str, tmp_path: Path
) -> None:
    with EmbeddingWriter(tmp_path, modality="image", space="clip", dim=3) as writer:
        writer.append(np.eye(3), ["a", "b", "c"])
        with pytest.raises(IsthmusError, match=message):
            writer.append(np.eye(3), ["d", "e", "f"], metadata)
    assert Embeddings.open(tmp_path).ids == ["a", "b", "c"]


def test_a_bad_row_is_named_by_its_number_in_the_set(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 4)).astype(np.float32)
    rows[777] = np.nan
    with EmbeddingWriter(tmp_path / "written", modality="image", space="clip", dim=4, shard_rows=300) as writer:
        for start in range(0, 700, 100):
            writer.append(rows[start : start + 100], range(start, start + 100))
        with pytest.raises(IsthmusError, match="image rows: row 777 contains NaN"):
            writer.append(rows[700:800], range(700, 800))
        with pytest.raises(IsthmusError, match="duplicate id 'x' in row 701"):
            writer.append(rows[:2], ["x", "x"])
        with pytest.raises(IsthmusError, match="the id of row 701 is None"):
            writer.append(rows[:2], ["x", None])  # type: ignore[list-item]

    bare = tmp_path / "bare" / "img_emb"
    bare.mkdir(parents=True)
    np.save(bare / "img_emb_0.npy", rows)
    found = Embeddings.open(tmp_path / "bare")
    with pytest.raises(IsthmusError, match=r"img_emb_0\.npy: row 777 contains NaN"):
        list(found.batches(100))
    with pytest.raises(IsthmusError, match=r"img_emb_0\.npy: row 777 contains NaN"):
        _ = found.take(np.array([3, 800, 777])).vectors


def test_token_ids_are_checked_like_row_ids(tmp_path: Path) -> None:
    vectors, places = np.eye(3, dtype=np.float32), np.zeros((3, 2), np.float32)
    kind = {"modality": "audio", "space": "clap", "unit": "seconds"}
    tokens = Tokens.from_arrays(vectors, np.arange(4), places, ids=np.array([b"a", b"b", b"c"]), **kind)  # type: ignore[arg-type]
    assert tokens.ids == ["a", "b", "c"]
    assert tokens.named([1, 2, 3]).ids == ["1", "2", "3"]
    assert open_tokens(save_tokens(tokens.named([7, 8, 9]), tmp_path), ids=[8]).ids == ["8"]  # type: ignore[list-item]
    with pytest.raises(IsthmusError, match="the id of row 1 is None"):
        tokens.named(["a", None, "c"])  # type: ignore[list-item]


def test_tokens_are_taken_by_mask_or_distinct_numbers() -> None:
    vectors, places = np.arange(12, dtype=np.float32).reshape(6, 2), np.zeros((6, 2), np.float32)
    tokens = Tokens.from_arrays(
        vectors, np.arange(0, 7, 2), places, ids=["a", "b", "c"], modality="audio", space="clap", unit="seconds"
    )
    taken = tokens.take(np.array([True, False, True]))
    assert taken.ids == ["a", "c"]
    np.testing.assert_array_equal(taken.vectors, vectors[[0, 1, 4, 5]])
    for wrong, message in (([0, -1], "no row -1"), ([0, 3], "no row 3"), ([1, 1], "row 1 of .* is asked for twice")):
        with pytest.raises(IsthmusError, match=message):
            tokens.take(np.array(wrong))


def test_one_long_id_among_many_costs_no_memory() -> None:
    ids = [f"text {row}" for row in range(100_000)]
    ids[500] = "x" * 20_000
    tracemalloc.start()
    try:
        found = Embeddings.from_array(np.ones((100_000, 2), np.float32), modality="text", space="clip", ids=ids)
        _ = found.take(np.arange(50_000)).ids
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6
