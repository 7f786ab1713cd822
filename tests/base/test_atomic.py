"""A file is there whole or not at all."""

from pathlib import Path

import pytest

from isthmus.base.atomic import atomic_path, write_text_atomically


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_text_atomically(path, "old é")

    def fail_half_way() -> None:
        with atomic_path(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_text(encoding="utf-8") == "old é"
    assert [file.name for file in path.parent.iterdir()] == ["file.json"]


def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "file", "old")
    with atomic_path(tmp_path / "file") as part:
        part.write_bytes(b"new")
        assert (tmp_path / "file").read_text() == "old"
    assert (tmp_path / "file").read_text() == "new"
