"""Ids of embedded sets: those of a table are given, row numbers of a saved dataset or Parquet file are not."""

from pathlib import Path

import pytest

import isthmus
import media_files
from isthmus.embeddings import open_tokens
from listings import write_parquet


def test_ids_of_a_table_are_given_even_if_they_count_from_zero(clip: str, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("id,caption\n0,a dog\n1,rain\n")
    isthmus.embed(tmp_path / "texts.csv", tmp_path / "out", space=clip, id_column="id", workers=0, tokens=True)
    found = isthmus.open_set(tmp_path / "out")["text"]
    assert (found.ids, found.numbered) == (["0", "1"], False)
    assert not open_tokens(tmp_path / "out").numbered


def test_row_numbers_of_a_saved_dataset_are_not_ids_until_they_are_asked_for(clip: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    image = media_files.write_image(tmp_path / "a.png").read_bytes()
    features = datasets.Features({"png": datasets.Image()})
    cells = {"png": [{"bytes": image, "path": None}] * 2}
    datasets.Dataset.from_dict(cells, features=features).save_to_disk(tmp_path / "saved")
    isthmus.embed(tmp_path / "saved", tmp_path / "out", space=clip, modality="image", column="png", workers=0)
    found = isthmus.open_set(tmp_path / "out")["image"]
    assert (found.ids, found.numbered) == (["0", "1"], True)
    given = isthmus.convert(tmp_path / "out", tmp_path / "given", modality="image", space=found.space, id_column="id")
    assert not isthmus.open_set(given)["image"].numbered


def test_files_and_rows_of_parquet_files_are_not_ids(clip: str, tmp_path: Path) -> None:
    """Most Parquet files of the hub have the same name, so equal ids of two sets do not show equal items."""
    cells = {"image": [media_files.write_image(tmp_path / "a.png").read_bytes()] * 2}
    for name, more, ids, numbered in (
        ("bare", {}, ["train-0/0", "train-0/1"], True),
        ("keyed", {"key": ["a", "b"]}, ["a", "b"], False),
    ):
        (tmp_path / name).mkdir()
        write_parquet(tmp_path / name / "train-0.parquet", cells | more)
        isthmus.embed(tmp_path / name, tmp_path / f"{name}-set", space=clip, modality="image", workers=0)
        found = isthmus.open_set(tmp_path / f"{name}-set")["image"]
        assert (found.ids, found.numbered) == (ids, numbered)
