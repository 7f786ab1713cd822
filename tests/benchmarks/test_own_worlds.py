"""Worlds of a user's own files: two layouts are read, and files in neither are refused by name."""

from pathlib import Path

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from real_files import write_real_files
from worlds.every_real import Folders, every_real_world
from worlds.own_worlds import own_worlds

DRAW = np.random.default_rng(0)
LEFT_RIGHT = {
    f"{part}_{side}": DRAW.normal(size=(rows, dim))
    for part, rows in (("overlap", 20), ("memory", 30), ("gallery", 12))
    for side, dim in (("left", 6), ("right", 4))
}


def test_a_file_of_two_spaces_over_the_same_things_is_joined_by_each_modality(tmp_path: Path) -> None:
    write_real_files(tmp_path)
    (tmp_path / "animals.npz").unlink()
    (tmp_path / "miniclip.npz").rename(tmp_path / "mine.npz")
    worlds = list(own_worlds(tmp_path, 0))
    assert [world.name for world in worlds] == ["mine by image", "mine by text"]
    assert {world.family for world in worlds} == {"mine"}


def test_rows_of_a_gallery_are_counterparts_unless_labels_say_otherwise(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", **LEFT_RIGHT)
    labels = {"label_left": np.repeat(["cat", "dog"], 6), "label_right": np.tile(["cat", "dog", "cow"], 4)}
    np.savez(tmp_path / "labelled.npz", **LEFT_RIGHT, **labels, pairs_left=np.ones((3, 6)), pairs_right=np.ones((3, 4)))
    labelled, in_rows = own_worlds(tmp_path, 0)
    assert (in_rows.relevant == np.eye(12, dtype=bool)).all()
    assert in_rows.pairs is None
    assert labelled.relevant[0].tolist() == [True, False, False] * 4
    assert labelled.pairs is not None
    assert 0 < labelled.score(np.ones((12, 12))) < 100
    assert len(in_rows.sides[0]["shared"]) == 20
    assert len(next(own_worlds(tmp_path, 1)).sides[1]["shared"]) == 16


def test_a_folder_or_file_in_no_layout_is_named(tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=r"has no \.npz file"):
        next(own_worlds(tmp_path, 0))
    np.savez(tmp_path / "part.npz", overlap_left=np.ones((2, 2)))
    with pytest.raises(IsthmusError, match=r"part\.npz: lacks overlap_right, memory_left, memory_right, gallery_left"):
        next(own_worlds(tmp_path, 0))
    np.savez(tmp_path / "part.npz", **LEFT_RIGHT, label_left=np.arange(12), label_right=np.arange(20, 32))
    with pytest.raises(IsthmusError, match="share no label"):
        next(own_worlds(tmp_path, 0))
    np.savez(tmp_path / "part.npz", **{**LEFT_RIGHT, "overlap_right": np.ones((19, 4))})
    with pytest.raises(IsthmusError, match="overlap_left has 20 rows and overlap_right 19: give them row by row"):
        next(own_worlds(tmp_path, 0))


def test_every_real_world_has_a_family_and_a_name_of_its_own(tmp_path: Path) -> None:
    real, own = write_real_files(tmp_path), tmp_path / "own"
    own.mkdir()
    np.savez(own / "mine.npz", **LEFT_RIGHT)
    worlds = list(every_real_world(Folders(real, own=[own]), 0))
    assert {world.family for world in worlds} == {"miniclip", "animals", "mine"}
    assert len({world.name for world in worlds}) == len(worlds) == 11 + 2 * 11 + 1
