"""Rows of other inputs: only local files can be gone or move; nothing else is renamed or pruned."""

from pathlib import Path

import numpy as np
import pytest

import isthmus
import media_files
from isthmus.bulk import records
from isthmus.bulk.embed import Summary
from isthmus.bulk.records import is_gone
from isthmus.media.listing.listing import list_media
from listings import write_tar


def rows_of(out: Path, modality: str) -> dict[str, np.ndarray]:
    found = isthmus.open_set(out)[modality]
    return dict(zip(found.ids, found.vectors, strict=True))


def table(path: Path, rows: dict[str, str]) -> Path:
    path.write_text("name,text\n" + "".join(f"{name},{text}\n" for name, text in rows.items()))
    return path


def test_a_second_list_of_texts_keeps_the_rows_and_ids_of_the_first(stage: str, tmp_path: Path) -> None:
    first = table(tmp_path / "coco.csv", {"coco-1": "a dog barks", "coco-2": "rain"})
    second = table(tmp_path / "cc3m.csv", {"cc3m-7": "a dog barks", "cc3m-8": "wind"})
    options = {"space": stage, "modality": "text", "id_column": "name"}
    isthmus.embed(first, tmp_path / "out", **options)
    before = rows_of(tmp_path / "out", "text")
    added = isthmus.embed(second, tmp_path / "out", **options, prune=True)
    assert (added.rows, added.embedded, added.moved, added.dropped, added.gone) == (4, 2, 0, 0, 0)
    after = rows_of(tmp_path / "out", "text")
    assert set(after) == {"coco-1", "coco-2", "cc3m-7", "cc3m-8"}
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_a_text_in_both_lists_keeps_its_first_row(stage: str, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("a dog barks\nrain\n")
    (tmp_path / "two.txt").write_text("wind\na dog barks\n")
    isthmus.embed(tmp_path / "one.txt", tmp_path / "out", space=stage, modality="text")
    before = rows_of(tmp_path / "out", "text")
    added = isthmus.embed(tmp_path / "two.txt", tmp_path / "out", space=stage, modality="text")
    assert (added.rows, added.embedded, added.same) == (3, 1, 1)
    assert isthmus.open_set(tmp_path / "out")["text"].ids == ["a dog barks", "rain", "wind"]
    assert np.array_equal(rows_of(tmp_path / "out", "text")["rain"], before["rain"])


def test_uris_of_another_list_are_not_gone(clip: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    content = media_files.write_image(tmp_path / "a.png").read_bytes()
    for name in ("a", "b"):
        with fsspec.open(f"memory://{name}.png", "wb") as file:
            file.write(content)
        (tmp_path / f"{name}.txt").write_text(f"memory://{name}.png\n")
    options = {"space": clip, "modality": "image", "workers": 0, "prune": True}
    isthmus.embed(tmp_path / "a.txt", tmp_path / "out", **options)
    added = isthmus.embed(tmp_path / "b.txt", tmp_path / "out", **options)
    assert (added.rows, added.moved, added.dropped, added.gone) == (2, 0, 0, 0)


@pytest.mark.filterwarnings("ignore")
def test_rows_of_another_dataset_are_not_gone_even_if_it_is_deleted(clip: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    image = media_files.write_image(tmp_path / "a.png").read_bytes()
    for name in ("first", "second"):
        cells = {"png": [{"bytes": image, "path": None}], "name": [name]}
        features = datasets.Features({"png": datasets.Image(), "name": datasets.Value("string")})
        datasets.Dataset.from_dict(cells, features=features).save_to_disk(tmp_path / name)
    options = {"space": clip, "modality": "image", "column": "png", "id_column": "name", "workers": 0, "prune": True}
    isthmus.embed(tmp_path / "first", tmp_path / "out", **options)
    (tmp_path / "first").rename(tmp_path / "elsewhere")
    added = isthmus.embed(tmp_path / "second", tmp_path / "out", **options)
    assert (added.rows, added.moved, added.dropped, added.gone) == (2, 0, 0, 0)
    assert set(rows_of(tmp_path / "out", "image")) == {"first", "second"}


def test_a_file_that_becomes_a_uri_has_not_moved(clip: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    (tmp_path / "photos").mkdir()
    photo = media_files.write_image(tmp_path / "photos" / "a.png")
    options = {"space": clip, "modality": "image", "workers": 0}
    isthmus.embed(tmp_path / "photos", tmp_path / "out", **options)
    with fsspec.open("memory://same.png", "wb") as file:
        file.write(photo.read_bytes())
    photo.unlink()
    (tmp_path / "list.txt").write_text("memory://same.png\n")
    added = isthmus.embed(tmp_path / "list.txt", tmp_path / "out", **options)
    assert (added.rows, added.moved, added.gone) == (2, 0, 1)


def test_a_tar_is_gone_only_when_it_is_deleted(clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tarfile

    image = media_files.write_image(tmp_path / "a.png")
    for name in ("one", "two"):
        with tarfile.open(tmp_path / f"{name}.tar", "w") as archive:
            archive.add(image, f"{name}.png")
    monkeypatch.chdir(tmp_path)

    def add_second(**options: object) -> Summary:
        return isthmus.embed("two.tar", "out", space=clip, modality="image", workers=0, **options)

    isthmus.embed("one.tar", "out", space=clip, modality="image", workers=0)
    assert (add_second(prune=True).rows, add_second().gone) == (2, 0)
    (tmp_path / "one.tar").unlink()
    assert add_second().gone == 1
    assert add_second(prune=True).rows == 1


@pytest.mark.parametrize("archive", ["S.TAR", "a.tar/b.tar", "a.tar"])
def test_the_archive_of_a_member_is_found_whatever_is_named_like_one(tmp_path: Path, archive: str) -> None:
    path = tmp_path / archive
    path.parent.mkdir(exist_ok=True)
    write_tar(path, {"c.tar/0.png": b"x"})
    (item,) = list_media(path, "image")
    assert not is_gone(records.uri_of(item), item.stamp)
    path.unlink()
    assert is_gone(records.uri_of(item), item.stamp)


def test_a_file_whose_folder_cannot_be_read_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = media_files.write_image(tmp_path / "a.png")
    item = next(list_media(path, "image"))
    path.unlink()
    assert is_gone(records.uri_of(item), item.stamp)
    assert is_gone(f"{path}/b.png", item.stamp)

    def refuse(path: str) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(records.os, "lstat", refuse)
    assert not is_gone(records.uri_of(item), item.stamp)


@pytest.mark.parametrize(
    ("uri", "stamp"),
    [
        ("", "0123456789abcdef"),
        ("", ""),
        ("https://example.org/a.png", "https://example.org/a.png"),
        ("/no/such/dataset[3].png", "9f3c2a51d0e4b7aa"),
        ("/no/such/caf\\xe9.png", "12:34"),
        ("relative.tar/a.png", "12:34:512"),
    ],
)
def test_only_local_files_can_be_gone(uri: str, stamp: str) -> None:
    assert not is_gone(uri, stamp)
