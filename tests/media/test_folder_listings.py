"""Folders people have: other kinds of file, links, shards next to files, sets of isthmus; listed or counted."""

import os
from pathlib import Path

import numpy as np
import pytest

import media_files
from isthmus.base.errors import IsthmusError
from isthmus.bulk.modality import modality_at
from isthmus.spaces.families import CLIP
from listings import PNG, listed, texts, write_parquet, write_tar


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
def test_shards_or_files_are_read_whichever_are_more_frequent(
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


def test_captions_of_img2dataset_are_read_once_without_failed_downloads(tmp_path: Path) -> None:
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


def test_a_folder_named_as_a_tar_or_table_is_a_folder(tmp_path: Path) -> None:
    for name in ("x.tar", "x.csv"):
        (tmp_path / name).mkdir()
        media_files.write_image(tmp_path / name / "1.png")
        assert modality_at(tmp_path / name, CLIP) == "image"
        assert listed(tmp_path / name, "image")[0] == ["1.png"]
    assert listed(tmp_path, "image")[0] == ["x.csv/1.png", "x.tar/1.png"]


def test_what_isthmus_wrote_is_not_listed(tmp_path: Path) -> None:
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


def test_codes_next_to_captions_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("rain\n")
    (tmp_path / "assignment.json").write_text('{\n "format": "isthmus-codes-1"\n}')
    write_parquet(tmp_path / "codes.parquet", {"id": ["a"], "text": ["no caption"]})
    assert listed(tmp_path, "text")[0] == ["rain"]
    (tmp_path / "assignment.json").write_text('{"format": "of someone else"}')
    assert listed(tmp_path, "text")[0] == ["rain", "no caption"]
