"""What people have in their folders and tables: read right, refused by name, or counted as left out."""

import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import media_files
from isthmus.base.errors import IsthmusError
from isthmus.bulk.modality import modality_at
from isthmus.media import list_media, read_image
from isthmus.media.listing.left_out import LeftOut
from isthmus.media.readers.vector import read_vector
from isthmus.media.source import UnreadableError
from isthmus.spaces.families import CLIP

PNG = b"\x89PNG\r\n\x1a\n"


def listed(where: Path, modality: str, **options: object) -> tuple[list[str], LeftOut]:
    left_out = LeftOut()
    return [item.id for item in list_media(where, modality, left_out=left_out, **options)], left_out


def texts(where: Path, **options: object) -> list[tuple[str, str]]:
    return [(item.id, item.text) for item in list_media(where, "text", **options)]


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            archive.addfile(facts, io.BytesIO(content))
    return path


def write_parquet(path: Path, columns: Mapping[str, object], **types: object) -> Path:
    arrays = {name: pyarrow.array(cells, types.get(name)) for name, cells in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), path)
    return path


def test_an_id_in_two_tables_is_refused_naming_both(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,caption\n0,a dog\n1,a cat\n")
    (tmp_path / "b.csv").write_text("id,caption\n0,rain\n1,wind\n")
    with pytest.raises(IsthmusError, match=r"'0' occurs twice \(.*b\.csv, entry 1, and .*a\.csv, entry 1\)"):
        texts(tmp_path, id_column="id")
    (tmp_path / "c.csv").write_text("id,caption\nx,a dog\nx,a cat\n")
    with pytest.raises(IsthmusError, match=r"'x' occurs twice \(.*c\.csv, entries 1 and 2\)"):
        texts(tmp_path / "c.csv", id_column="id")


def test_a_text_is_its_own_id_though_a_column_looks_like_ids(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,caption\n0,a dog\n1,rain\n")
    (tmp_path / "t.jsonl").write_text('{"text": "wind", "uid": 7}\n')
    write_parquet(tmp_path / "t.parquet", {"key": [0], "caption": ["snow"]})
    for suffix, ids, column in (
        ("csv", ["a dog", "rain"], "id"),
        ("jsonl", ["wind"], "uid"),
        ("parquet", ["snow"], "key"),
    ):
        found, left_out = listed(tmp_path / f"t.{suffix}", "text")
        assert (found, left_out.ids) == (ids, f"the texts; --id-column {column} takes that column")
    found, left_out = listed(tmp_path / "t.csv", "text", id_column="id")
    assert (found, left_out.ids) == (["0", "1"], "column 'id'")
    (tmp_path / "plain.csv").write_text("caption\na dog\n")
    assert listed(tmp_path / "plain.csv", "text")[1].ids == ""


def test_the_listing_says_where_the_ids_of_media_are_from(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,url\n3,s3://bucket/a.png\n")
    found, left_out = listed(tmp_path / "t.csv", "image")
    assert (found, left_out.ids) == (["s3://bucket/a.png"], "the paths; --id-column id takes that column")
    cells = write_parquet(tmp_path / "t.parquet", {"key": ["k"], "image": [b"x"]})
    found, left_out = listed(cells, "image")
    assert (found, left_out.ids) == (["k"], "column 'key'")


@pytest.mark.parametrize("modality", ["text", "image"])
def test_floats_and_missing_cells_are_no_ids(modality: str, tmp_path: Path) -> None:
    column, cell = ("caption", "rain") if modality == "text" else ("image", b"x")
    for id_cell, says in ((3.0, r"entry 1: 'id' is 3\.0, a float"), (None, "entry 1 has no 'id'"), ("", "has no 'id'")):
        table = write_parquet(tmp_path / "t.parquet", {"id": [id_cell], column: [cell]})
        with pytest.raises(IsthmusError, match=says):
            listed(table, modality, id_column="id")


def test_a_table_without_rows_or_with_another_separator_is_refused_as_such(tmp_path: Path) -> None:
    for content, says in (
        ("", "has no rows"),
        ("id,caption\n", "has no rows"),
        ("id,caption\n1,\n2,\n", "all 2 entries are empty"),
        ("id;caption\n1;a dog, brown\n", r"t\.csv: the separator is ';', not a comma .*convert it to commas"),
        ("id\tcaption\n1\ta dog\n", r"the separator is '\\t', not a comma .*name it \.tsv"),
    ):
        (tmp_path / "t.csv").write_text(content)
        with pytest.raises(IsthmusError, match=says):
            texts(tmp_path / "t.csv")


def test_a_text_that_is_its_own_id_is_taken_once_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("rain\nwind\nrain\n")
    (tmp_path / "b.csv").write_text("caption\nwind\nsnow\n\n  \n")
    ids, left_out = listed(tmp_path, "text")
    assert ids == ["rain", "wind", "snow"]
    assert (left_out.doubled, left_out.empty) == (2, 1)


def test_bytes_are_decoded_and_what_is_no_text_is_refused(tmp_path: Path) -> None:
    cells = {"id": [b"caf\xc3\xa9", b"b"], "caption": ["été".encode(), b"a dog"]}
    table = write_parquet(tmp_path / "t.parquet", cells)
    assert texts(table, id_column="id") == [("café", "été"), ("b", "a dog")]
    for cells, says in (
        ({"caption": [["a dog", "a brown dog"]]}, r"entry 1: 'caption' is a list, not one text"),
        ({"caption": [{"en": "a dog"}]}, r"entry 1: 'caption' is a dict, not one text"),
        ({"caption": [b"x", b"\xff"]}, r"entry 2: 'caption' is bytes that are not UTF-8"),
        ({"id": [["a"]], "caption": ["x"]}, r"entry 1: 'id' is a list"),
        ({"id": [float("nan")], "caption": ["x"]}, r"entry 1 has no 'id'"),
        ({"caption": [True]}, r"is a bool"),
    ):
        table = write_parquet(tmp_path / "t.parquet", cells)
        with pytest.raises(IsthmusError, match=says):
            texts(table, id_column="id" if "id" in cells else None)
    (tmp_path / "t.jsonl").write_text('{"text": "a"}\n{"text": ["b", "c"]}\n')
    with pytest.raises(IsthmusError, match=r"t\.jsonl: entry 2: 'text' is a list"):
        texts(tmp_path / "t.jsonl")
    (tmp_path / "t.jsonl").write_text('{"text": "a", "id": 7}\n{"text": NaN, "id": 8}\n{"text": null, "id": 9}\n')
    ids, left_out = listed(tmp_path / "t.jsonl", "text", id_column="id")
    assert (ids, left_out.empty) == (["7"], 2)


def test_numbers_of_classes_are_read_as_their_names(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"label": datasets.ClassLabel(names=["dog", "cat"])})
    made = datasets.Dataset.from_dict({"label": [1, 0, 1]}, features=features)
    made.to_parquet(tmp_path / "t.parquet")
    made.save_to_disk(tmp_path / "saved")
    for place in ("t.parquet", "saved"):
        assert texts(tmp_path / place) == [("cat", "cat"), ("dog", "dog")]


def test_a_saved_dataset_has_one_text_a_row_and_unique_ids(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    cells = {"text": [["a", "b"]], "caption": ["x"], "name": ["n"]}
    datasets.Dataset.from_dict(cells).save_to_disk(tmp_path / "lists")
    with pytest.raises(IsthmusError, match=r"row 0: 'text' is a list"):
        texts(tmp_path / "lists")
    datasets.Dataset.from_dict({"text": ["a", "b"], "name": ["n", "n"]}).save_to_disk(tmp_path / "twice")
    with pytest.raises(IsthmusError, match=r"'n' occurs twice"):
        texts(tmp_path / "twice", id_column="name")


def test_a_tsv_has_no_quotes(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('id\ttext\n1\t"a dog barks\n2\tbirds sing\n3\tit said "x"\n')
    assert texts(tmp_path / "t.tsv", id_column="id") == [
        ("1", '"a dog barks'),
        ("2", "birds sing"),
        ("3", 'it said "x"'),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('id,text\n1,a\n2,"open\n3,b\n4,c\n', "begins on line 3 is not CSV"),
        ('id,text\n1,"a" dog\n', "begins on line 2 is not CSV"),
        ("id,text\n1,a\n2,a dog, brown\n", "line 3 has 3 fields, the header has 2: quote a text"),
        ("text,text\na,b\n", "the header has 'text' twice"),
    ],
)
def test_a_csv_that_is_not_one_is_refused_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(IsthmusError, match=says):
        texts(tmp_path / "t.csv")


def test_a_csv_may_quote_commas_quotes_and_lines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('id,text,\n1,"a, b",\n2,"say ""x""\nand y",\n3,plain,\n')
    assert texts(tmp_path / "t.csv", id_column="id") == [("1", "a, b"), ("2", 'say "x"\nand y'), ("3", "plain")]


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    for name in ("a.jfif", "b.TGA", "c.png"):
        media_files.write_image(tmp_path / "x.png").replace(tmp_path / name)
    for name in ("d.HEIC", "e.heic", "f.svg", "README", ".DS_Store"):
        (tmp_path / name).write_text("")
    ids, left_out = listed(tmp_path, "image")
    assert ids == ["a.jfif", "b.TGA", "c.png"]
    assert left_out.kinds_in_words == ".heic 2, no suffix 1, .svg 1"
    assert left_out.others == {"hidden": 1}


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    outside, photos = tmp_path / "outside", tmp_path / "photos"
    (outside / "deep").mkdir(parents=True)
    (photos / "own").mkdir(parents=True)
    for path in (outside / "b.png", outside / "deep" / "c.png", photos / "own" / "a.png"):
        media_files.write_image(path)
    for name, target in (("link", outside), ("again", photos / "own"), ("up", tmp_path), ("root", "/")):
        (photos / name).symlink_to(target)
    (outside / "deep" / "back").symlink_to(outside)
    (outside / "home").symlink_to(photos)
    ids, left_out = listed(photos, "image")
    assert ids == ["own/a.png", "link/b.png", "link/deep/c.png"]
    assert sum(left_out.others.values()) == 5


@pytest.mark.parametrize(("shards", "files", "taken"), [(2, 1, "tars"), (1, 1, "tars"), (1, 3, "files")])
def test_shards_and_files_the_more_frequent_are_read_and_the_others_counted(
    tmp_path: Path, shards: int, files: int, taken: str
) -> None:
    for number in range(shards):
        write_tar(tmp_path / f"s{number}.tar", {"0.jpg": PNG, "1.jpg": PNG})
    for number in range(files):
        media_files.write_image(tmp_path / f"{number}.png")
    ids, left_out = listed(tmp_path, "image")
    assert len(ids) == (2 * shards if taken == "tars" else files)
    assert left_out.kinds == ({".png": files} if taken == "tars" else {".tar": shards})
    assert modality_at(tmp_path, CLIP) == "image"


def test_a_stray_tar_of_texts_does_not_decide(tmp_path: Path) -> None:
    for number in range(5):
        media_files.write_image(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("buy milk\n")
    write_tar(tmp_path / "texts.tar", {"0.txt": b"a dog"})
    assert modality_at(tmp_path, CLIP) == "image"
    assert len(listed(tmp_path, "image")[0]) == 5


def test_suffixes_have_no_case(tmp_path: Path) -> None:
    (tmp_path / "B.TXT").write_text("two\n")
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "C.JSONL").write_text('{"text": "three"}\n')
    write_parquet(tmp_path / "D.PARQUET", {"text": ["four"]})
    assert [name for name, _ in texts(tmp_path)] == ["two", "three", "four", "one"]
    media_files.write_image(tmp_path / "1.png")
    (tmp_path / "LIST.TXT").write_text("1.png\n")
    assert listed(tmp_path / "LIST.TXT", "image")[0] == ["1.png"]
    write_tar(tmp_path / "S.TAR", {"0.JPG": PNG})
    assert listed(tmp_path / "S.TAR", "image")[0] == ["S/0"]


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
    with pytest.raises(IsthmusError, match="could be any of text, image: name one"):
        modality_at(binary, CLIP)
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


def test_captions_of_img2dataset_are_read_once_and_not_those_of_failed_downloads(tmp_path: Path) -> None:
    (tmp_path / "00000").mkdir()
    media_files.write_image(tmp_path / "00000" / "000000000.jpg")
    (tmp_path / "00000" / "000000000.txt").write_text("a dog")
    (tmp_path / "00000" / "000000000.json").write_text("{}")
    (tmp_path / "00000_stats.json").write_text("{}")
    table = {
        "url": ["u", "v"],
        "caption": ["a dog", "dead link"],
        "key": ["000000000", "000000001"],
        "status": ["success", "failed_to_download"],
    }
    write_parquet(tmp_path / "00000.parquet", table)
    ids, left_out = listed(tmp_path, "text")
    assert ids == ["a dog"]
    assert left_out.kinds == {".json": 2, ".jpg": 1}
    assert sum(left_out.others.values()) == 1
    assert texts(tmp_path / "00000.parquet", id_column="key") == [("000000000", "a dog")]
    assert listed(tmp_path, "image")[0] == ["00000/000000000.jpg"]
    write_tar(
        tmp_path / "w" if (tmp_path / "w").mkdir() else tmp_path / "w" / "00000.tar", {"0.jpg": PNG, "0.txt": b"a dog"}
    )
    write_parquet(tmp_path / "w" / "00000.parquet", table)
    assert texts(tmp_path / "w") == [("00000/0", "a dog")]


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


def test_a_file_uri_is_unquoted(tmp_path: Path) -> None:
    path = media_files.write_image(tmp_path / "a b#1 100%.png")
    (tmp_path / "list.txt").write_text(f"{path.as_uri()}\nfile:{path.as_uri().removeprefix('file://')}\n")
    items = list(list_media(tmp_path / "list.txt", "image"))
    assert [read_image(item.source).size for item in items] == [(70, 48)] * 2
    (tmp_path / "list.txt").write_text("file://server/share/a.png\n")
    with pytest.raises(IsthmusError, match=r"entry 1: .* is a file of the machine 'server'"):
        listed(tmp_path / "list.txt", "image")


def test_a_caption_is_never_taken_for_a_path(tmp_path: Path) -> None:
    media_files.write_image(tmp_path / "1.png")
    (tmp_path / "t.csv").write_text("caption,filename\na dog,1.png\n")
    assert listed(tmp_path / "t.csv", "image")[0] == ["1.png"]
    (tmp_path / "t.csv").write_text("caption,picture\na dog,1.png\n")
    with pytest.raises(IsthmusError, match=r"it has caption, picture\): choose a column with --column"):
        listed(tmp_path / "t.csv", "image")
    assert listed(tmp_path / "t.csv", "image", column="picture")[0] == ["1.png"]


def test_a_folder_named_as_a_tar_or_table_is_a_folder(tmp_path: Path) -> None:
    for name in ("x.tar", "x.csv"):
        (tmp_path / name).mkdir()
        media_files.write_image(tmp_path / name / "1.png")
        assert modality_at(tmp_path / name, CLIP) == "image"
        assert listed(tmp_path / name, "image")[0] == ["1.png"]
    assert listed(tmp_path, "image")[0] == ["x.csv/1.png", "x.tar/1.png"]


@pytest.mark.parametrize("shape", [(4, 16), (2, 3, 4), ()])
def test_an_array_of_several_vectors_is_not_one(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnreadableError):
        read_vector(np.ones(shape))
    for fine in ((16,), (1, 16), (16, 1)):
        assert read_vector(np.ones(fine)).shape == (16,)


def test_a_table_reads_no_local_file_outside_its_folder_unless_allowed(tmp_path: Path) -> None:
    secret = media_files.write_image(tmp_path / "secret.png")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.png").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    names = [str(secret), "../secret.png", "link.png", "linked/secret.png", secret.as_uri(), f"local://{secret}"]
    for name in names:
        (folder / "t.jsonl").write_text(json.dumps({"path": "a.png"}) + "\n" + json.dumps({"path": name}))
        with pytest.raises(IsthmusError, match=r"t\.jsonl: entry 2: .* is outside .*in: .*--allow-outside"):
            listed(folder / "t.jsonl", "image")
        items = list(list_media(folder / "t.jsonl", "image", allow_outside=True))
        assert read_image(items[1].source).size == (70, 48)


@pytest.mark.parametrize(
    ("name", "message"), [("a\\u0000.png", "entry 1: .* cannot be a path"), ("\\ud800.png", "line 1 .*surrogate")]
)
def test_a_name_that_no_file_can_have_is_refused_with_its_row(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "t.jsonl").write_text(f'{{"path": "{name}"}}\n')
    with pytest.raises(IsthmusError, match=rf"t\.jsonl: {message}"):
        listed(tmp_path / "t.jsonl", "image")


def test_what_isthmus_wrote_is_no_input(tmp_path: Path) -> None:
    import isthmus

    draw = np.random.default_rng(0)
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", draw.standard_normal(4))
    made = isthmus.Embeddings.from_array(draw.standard_normal((3, 4)), modality="image", space="x", ids=["a", "b", "c"])
    made.save(tmp_path / "set")
    ids, left_out = listed(tmp_path, "image", kind="vector")
    assert (ids, left_out.others) == (["0.npy", "1.npy", "2.npy"], {"folders isthmus wrote into": 1})
    made.save(tmp_path)
    ids, left_out = listed(tmp_path, "image", kind="vector")
    assert ids == ["0.npy", "1.npy", "2.npy"]
    assert left_out.others["folders isthmus wrote into"] == 2
    np.save(tmp_path / "set" / "mine.npy", draw.standard_normal(4))
    assert listed(tmp_path, "image", kind="vector")[0] == ["0.npy", "1.npy", "2.npy", "set/mine.npy"]
    (tmp_path / "set" / "mine.npy").unlink()
    with pytest.raises(IsthmusError, match="has no vector"):
        listed(tmp_path / "set", "image", kind="vector")


def test_a_folder_that_cannot_be_read_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media_files.write_image(tmp_path / "a.png")
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr("isthmus.media.listing.folder.os.scandir", refuse)
    ids, left_out = listed(tmp_path, "image")
    assert (ids, left_out.others) == (["a.png"], {"folders that cannot be read": 1})


def test_codes_and_models_beside_captions_are_no_input(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("rain\n")
    (tmp_path / "assignment.json").write_text('{\n "format": "isthmus-codes-1"\n}')
    write_parquet(tmp_path / "codes.parquet", {"id": ["a"], "text": ["no caption"]})
    assert listed(tmp_path, "text")[0] == ["rain"]
    (tmp_path / "assignment.json").write_text('{"format": "of someone else"}')
    assert listed(tmp_path, "text")[0] == ["rain", "no caption"]
