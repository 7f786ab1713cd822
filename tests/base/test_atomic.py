"""A file is there whole or not at all."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.base.atomic import atomic_path, write_text_atomically
from isthmus.base.errors import IsthmusError


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


def test_nobody_else_can_write_where_a_file_is_written(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "file") as first, atomic_path(tmp_path / "file") as second:
        first.touch()
        second.touch()
        assert first.parent != second.parent
        assert {part.parent.stat().st_mode & 0o777 for part in (first, second)} == {0o700}


def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "file", "old")
    with atomic_path(tmp_path / "file") as part:
        part.write_bytes(b"new")
        assert (tmp_path / "file").read_text() == "old"
    assert (tmp_path / "file").read_text() == "new"


WRITE_AND_WAIT = """
import sys
from pathlib import Path
from isthmus.base.atomic import atomic_path

with atomic_path(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("writing", flush=True)
    sys.stdin.readline()
"""


def writer_of(path: Path) -> subprocess.Popen:
    """Another process in the middle of writing a file."""
    command = [sys.executable, "-c", WRITE_AND_WAIT, str(path)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    return writer


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_leftovers_of_a_killed_writer_are_deleted_and_files_of_a_living_one_are_not(tmp_path: Path) -> None:
    killed, living = writer_of(tmp_path / "killed"), writer_of(tmp_path / "living")
    killed.kill()
    killed.communicate()
    assert len(names_in(tmp_path)) == 2
    write_text_atomically(tmp_path / "other", "new")
    assert len(names_in(tmp_path)) == 2
    living.communicate("\n")
    assert living.returncode == 0
    assert names_in(tmp_path) == ["living", "other"]


def test_files_that_only_look_like_ours_stay(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    theirs = [
        "my.isthmus-part",
        ".notes.part",
        f".other.{ended.pid}.part",
        ".file.draft.part",
        f".file.{os.getpid()}.part",
    ]
    for name in theirs:
        (tmp_path / name).write_text("mine")
    (tmp_path / f".file.{ended.pid}.part").write_text("left by version 0.1")
    write_text_atomically(tmp_path / "file", "new")
    assert names_in(tmp_path) == sorted([*theirs, "file"])


def test_a_link_put_in_the_way_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "file").symlink_to(tmp_path / "precious")
    write_text_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(IsthmusError, match=r"large\.json: cannot be written \(File too large\)"):
            write_text_atomically(tmp_path / "large.json", "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names_in(tmp_path) == []
