"""Listing: the same items from every kind of place, in an order that depends only on what is there."""

import io
import json
import os
import tarfile
from pathlib import Path

import datasets
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import media_files
from isthmus.base.errors import IsthmusError
from isthmus.media import list_media, read_image
from isthmus.media.item import is_same_stamp
from isthmus.media.source import sha256_of_source


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number, name in enumerate(("b.png", "a/c.JPG", "a/b/d.webp", ".hidden.png", "notes.md")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            path.write_text("no picture")
        else:
            media_files.write_image(path, number)
    return folder


def test_a_folder_is_searched_at_any_depth(photos: Path) -> None:
    assert [item.id for item in list_media(photos, "image")] == ["a/b/d.webp", "a/c.JPG", "b.png"]


def test_lists_and_tables_of_paths(photos: Path) -> None:
    names = ["b.png", "a/c.JPG"]
    (photos / "list.txt").write_text("\n".join(names) + "\n\n")
    (photos / "t.csv").write_text("path,title\nb.png,one\na/c.JPG,two\n")
    (photos / "t.jsonl").write_text("".join(json.dumps({"uri": name}) + "\n" for name in names))
    uris = [f"file://{photos / name}" for name in names]
    pyarrow.parquet.write_table(pyarrow.table({"url": uris, "key": ["x", "y"]}), photos / "t.parquet")
    for table in ("list.txt", "t.csv", "t.jsonl"):
        items = list(list_media(photos / table, "image"))
        assert [item.id for item in items] == names
        assert [read_image(item.source).size for item in items] == [(70, 48)] * 2
    items = list(list_media(photos / "t.parquet", "image", id_column="key"))
    assert [item.id for item in items] == ["x", "y"]
    assert read_image(items[0].source).size == (70, 48)


def test_uris_are_opened_by_their_scheme(photos: Path) -> None:
    import fsspec

    with fsspec.open("memory://bucket/a.png", "wb") as file:
        file.write((photos / "b.png").read_bytes())
    (photos / "list.txt").write_text("memory://bucket/a.png\n")
    (item,) = list_media(photos / "list.txt", "image")
    assert np.array_equal(np.asarray(read_image(item.source)), np.asarray(read_image(photos / "b.png")))


def test_webdataset_shards_are_read_in_place(photos: Path, tmp_path: Path) -> None:
    import webdataset

    with webdataset.TarWriter(str(tmp_path / "shard-000.tar")) as shard:
        for key in ("one", "two"):
            shard.write({"__key__": key, "jpg": (photos / "a/c.JPG").read_bytes(), "txt": f"text of {key}"})
    items = list(list_media(tmp_path / "shard-000.tar", "image"))
    assert [item.id for item in items] == ["shard-000/one", "shard-000/two"]
    assert [sha256_of_source(item.source) for item in items] == [sha256_of_source(items[0].source)] * 2
    assert read_image(items[1].source).size == (70, 48)
    texts = list(list_media(tmp_path / "shard-000.tar", "text"))
    assert [(item.id, item.text) for item in texts] == [
        ("shard-000/one", "text of one"),
        ("shard-000/two", "text of two"),
    ]


def test_a_saved_dataset_is_read_row_by_row(photos: Path, tmp_path: Path) -> None:
    content = (photos / "b.png").read_bytes()
    made = datasets.Dataset.from_dict(
        {"image": [{"bytes": content, "path": None}] * 2, "caption": ["one", "two"], "name": ["x", "y"]}
    ).cast_column("image", datasets.Image())
    made.save_to_disk(str(tmp_path / "saved"))
    items = list(list_media(tmp_path / "saved", "image", id_column="name"))
    assert [item.id for item in items] == ["x", "y"]
    with items[1].source.open() as file:
        assert file.read() == content
    assert [item.text for item in list_media(tmp_path / "saved", "text")] == ["one", "two"]
    with pytest.raises(IsthmusError, match="no column 'sound'"):
        list(list_media(tmp_path / "saved", "image", column="sound"))


def test_texts_are_lines_or_a_column_and_their_own_ids(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("one\n\ntwo\none\n", encoding="utf-8-sig")
    (tmp_path / "t.csv").write_text('caption,id\n"one, with a comma",a\n,b\ntwo,c\n', encoding="utf-8-sig")
    (tmp_path / "t.jsonl").write_text('{"text": "one", "id": 7}\n"two"\n')
    pyarrow.parquet.write_table(pyarrow.table({"words": ["one", "two", None]}), tmp_path / "t.parquet")
    listed = {
        suffix: [(item.id, item.text) for item in list_media(tmp_path / f"t.{suffix}", "text", column=column)]
        for suffix, column in (("txt", None), ("csv", None), ("jsonl", None), ("parquet", "words"))
    }
    assert listed["txt"] == [("one", "one"), ("two", "two")]
    assert listed["csv"] == [("one, with a comma",) * 2, ("two", "two")]
    assert listed["jsonl"] == [("one", "one"), ("two", "two")]
    assert listed["parquet"] == [("one", "one"), ("two", "two")]


def test_everyday_lists_many_texts_without_repeats() -> None:
    items = list(list_media(Path("everyday"), "text"))
    assert len({item.text for item in items}) == len(items) > 1500
    with pytest.raises(IsthmusError, match="is a list of texts, not image"):
        list(list_media(Path("everyday"), "image"))


def test_a_stray_tar_hides_no_folder(photos: Path) -> None:
    with tarfile.open(photos / "backup.tar", "w") as archive:
        archive.add(photos / "b.png", "x/1.png")
        archive.add(photos / "b.png", "y/1.png")
    assert len(list(list_media(photos, "image"))) == 3
    assert [item.id for item in list_media(photos / "backup.tar", "image")] == ["backup/x/1", "backup/y/1"]


def test_texts_that_are_not_unicode_are_refused_and_names_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": "a \\ud800 b"}\n')
    with pytest.raises(IsthmusError, match=r"t\.jsonl: line 1 .*half of a surrogate pair"):
        list(list_media(tmp_path / "t.jsonl", "text"))
    (tmp_path / "t.jsonl").unlink()
    odd = os.fsdecode(b"\xff.png")
    media_files.write_image(tmp_path / "a.png").rename(tmp_path / odd)
    (item,) = list_media(tmp_path, "image")
    assert item.id.encode()
    assert read_image(item.source).size == (70, 48)


def test_stamps_follow_the_text_and_the_file(photos: Path) -> None:
    before = {item.id: item.stamp for item in list_media(photos, "image")}
    media_files.write_image(photos / "b.png", seed=99, size=(20, 20))
    after = {item.id: item.stamp for item in list_media(photos, "image")}
    assert [name for name in before if before[name] != after[name]] == ["b.png"]


@pytest.mark.parametrize(
    ("stamp", "known", "same"),
    [
        ("5:6:c7", "5:6:c7", True),
        ("5:6:c7", "5:6", True),
        ("5:6:512:c7", "5:6:512", True),
        ("5:6:c7", "5:6:c8", False),
        ("5:6:c7", "5:7", False),
        ("https://host:c7", "https://host", False),
    ],
)
def test_stamps_of_files_by_isthmus_0_1_lack_the_time_of_the_inode(stamp: str, known: str, same: bool) -> None:
    assert is_same_stamp(stamp, known) == same


def test_errors_name_the_place_and_the_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "bad.jsonl").write_text('{"text": "x"}\n{"text": \n')
    (tmp_path / "bad.txt").write_bytes(b"ok\n\xff\xfe\n")
    (tmp_path / "latin.csv").write_bytes("text\nédition\n".encode("latin-1"))
    (tmp_path / "bad.tar").write_bytes(b"no tar")
    with tarfile.open(tmp_path / "gz.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"), io.BytesIO())
    for name, modality, says in (
        ("empty", "image", "has no image"),
        ("absent", "image", "not found"),
        ("t.csv", "text", "entry 1 has none of text, caption"),
        ("t.csv", "image", r"entry 1 has none of image, uri, .*it has a, b.*choose a column with --column"),
        ("latin.csv", "text", "not UTF-8 text"),
        ("bad.jsonl", "text", "line 2 is not JSON"),
        ("bad.txt", "text", "not UTF-8 text"),
        ("bad.tar", "image", "not an uncompressed tar"),
        ("gz.tar", "image", "not an uncompressed tar"),
    ):
        with pytest.raises(IsthmusError, match=says):
            list(list_media(tmp_path / name, modality))
