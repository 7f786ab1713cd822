"""Media inside Parquet files, saved datasets and tars."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

import media_files
from isthmus.base.errors import IsthmusError
from isthmus.bulk.modality import modality_at
from isthmus.media import UnreadableError, list_media, read_image
from isthmus.spaces.families import CLIP
from listings import PNG, listed, texts, write_parquet, write_tar


def test_images_inside_a_parquet_file_are_read(tmp_path: Path) -> None:
    content = [media_files.write_image(tmp_path / f"{seed}.png", seed, (30 + seed, 20)).read_bytes() for seed in (0, 1)]
    own = {"image": [{"bytes": one, "path": f"{n}.png"} for n, one in enumerate(content)], "label": [0, 1]}
    bare = {"jpg": [*content, None], "caption": ["a", "b", "dead"], "key": ["k0", "k1", "k2"]}
    (tmp_path / "hub" / "data").mkdir(parents=True)
    struct = write_parquet(tmp_path / "hub" / "data" / "train-0.parquet", own)
    binary = write_parquet(
        tmp_path / "00000.parquet", bare | {"status": ["success", "success", "failed"], "url": ["u"] * 3}
    )
    for place, ids in (
        (struct, ["train-0/0", "train-0/1"]),
        (tmp_path / "hub", ["data/train-0/0", "data/train-0/1"]),
        (binary, ["k0", "k1"]),
    ):
        items = list(list_media(place, "image"))
        assert [item.id for item in items] == ids
        assert [read_image(item.source).size for item in items] == [(30, 20), (31, 20)]
    for place in (binary, tmp_path / "hub"):
        with pytest.raises(IsthmusError, match="could be any of text, image: name one"):
            modality_at(place, CLIP)
    assert texts(binary, id_column="key") == [("k0", "a"), ("k1", "b")]


def test_a_parquet_cell_without_bytes_names_a_file_below_its_folder_only(tmp_path: Path) -> None:
    media_files.write_image(tmp_path / "secret.png")
    (tmp_path / "in").mkdir()
    media_files.write_image(tmp_path / "in" / "a.png")
    kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    cells = [{"bytes": None, "path": name} for name in ("a.png", "../secret.png", None)]
    table = write_parquet(tmp_path / "in" / "t.parquet", {"image": cells}, image=kind)
    good, outside, empty = list_media(table, "image")
    assert read_image(good.source).size == (70, 48)
    with pytest.raises(IsthmusError, match=r"is outside .*--allow-outside"):
        read_image(outside.source)
    with pytest.raises(IsthmusError, match="the cell is empty"):
        read_image(empty.source)
    assert read_image(list(list_media(table, "image", allow_outside=True))[1].source).size == (70, 48)


def save_dataset(place: Path, columns: Mapping[str, list[object]], **features: str) -> None:
    """Save a Hugging Face dataset; ``features`` names the kind of media in a column."""
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_dict(columns)
    for name, kind in features.items():
        made = made.cast_column(name, getattr(datasets, kind)(decode=False)).cast_column(
            name, getattr(datasets, kind)()
        )
    made.save_to_disk(place)


def test_a_dataset_that_is_saved_again_is_read_anew(tmp_path: Path) -> None:
    for size in ((30, 20), (40, 20)):
        content = media_files.write_image(tmp_path / "a.png", size=size).read_bytes()
        shutil.rmtree(tmp_path / "saved", ignore_errors=True)
        save_dataset(tmp_path / "saved", {"image": [{"bytes": content, "path": None}]}, image="Image")
        (item,) = list_media(tmp_path / "saved", "image")
        assert read_image(item.source).size == size


def test_other_columns_of_a_saved_dataset_are_not_decoded(tmp_path: Path) -> None:
    content = media_files.write_image(tmp_path / "a.png").read_bytes()
    image, broken = {"bytes": content, "path": None}, {"bytes": b"broken", "path": None}
    columns = {"image": [image], "other": [broken], "text": ["a dog"], "name": ["n"]}
    save_dataset(tmp_path / "saved", columns, image="Image", other="Image")
    (item,) = list_media(tmp_path / "saved", "image", id_column="name")
    assert (item.id, read_image(item.source).size) == ("n", (70, 48))
    assert texts(tmp_path / "saved", id_column="name") == [("n", "a dog")]


def test_an_empty_or_odd_cell_of_a_saved_dataset_is_unreadable(tmp_path: Path) -> None:
    whole = {"bytes": media_files.write_image(tmp_path / "a.png").read_bytes(), "path": None}
    save_dataset(tmp_path / "saved", {"image": [None, whole], "number": [1, 2]}, image="Image")
    for column, row, says in (("image", 0, "is empty"), ("number", 1, "is a int, not bytes or a path")):
        item = list(list_media(tmp_path / "saved", "image", column=column))[row]
        with pytest.raises(UnreadableError, match=rf"saved\[{row}\]\.{column}: the cell {says}"):
            item.source.open()


def test_a_saved_dataset_has_one_text_a_row_and_unique_ids(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    cells = {"text": [["a", "b"]], "caption": ["x"], "name": ["n"]}
    datasets.Dataset.from_dict(cells).save_to_disk(tmp_path / "lists")
    with pytest.raises(IsthmusError, match=r"row 0: 'text' is a list"):
        texts(tmp_path / "lists")
    datasets.Dataset.from_dict({"text": ["a", "b"], "name": ["n", "n"]}).save_to_disk(tmp_path / "twice")
    with pytest.raises(IsthmusError, match=r"'n' occurs twice"):
        texts(tmp_path / "twice", id_column="name")


def test_a_member_of_a_tar_is_picked_by_its_whole_extension(tmp_path: Path) -> None:
    depth = write_tar(tmp_path / "d.tar", {"0.depth.png": b"depth", "0.jpg": b"colour", "0.json": b"{}"})
    (item,) = list_media(depth, "image")
    assert item.source.open().read() == b"colour"
    (item,) = list_media(depth, "image", column="depth.png")
    assert item.source.open().read() == b"depth"
    _, left_out = listed(depth, "image")
    assert left_out.kinds == {".depth.png": 1, ".json": 1}
    ids, left_out = listed(write_tar(tmp_path / "s.tar", {"0.rgb.png": PNG, "1.rgb.png": PNG}), "image")
    assert (ids, left_out.others) == (["s/0", "s/1"], {})
    ids, left_out = listed(write_tar(tmp_path / "t.tar", {"trip 1.5.jpg": PNG, "trip 1.6.jpg": PNG}), "image")
    assert ids == ["t/trip 1"]
    assert [(count, "key" in what) for what, count in left_out.others.items()] == [(1, True)]
    with pytest.raises(IsthmusError, match=r"0\.txt: not UTF-8 text"):
        texts(write_tar(tmp_path / "u.tar", {"0.txt": b"\xff"}))
