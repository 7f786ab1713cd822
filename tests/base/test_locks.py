"""One process at a time holds a lock, and a lock ends with its process."""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from isthmus.base import locks
from isthmus.base.errors import IsthmusError
from isthmus.base.locks import FileLock

HOLD = """
import sys
from pathlib import Path
from isthmus.base.locks import FileLock

with FileLock(Path(sys.argv[1]), busy="busy"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_another_process_is_refused_until_the_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(IsthmusError, match="set: another process is writing"):
        FileLock(path, busy="set: another process is writing")
    holder.kill()
    holder.communicate()
    FileLock(path, busy="busy", patience=5.0).release()


def tries_its_inherited_lock(lock: FileLock, answers: Connection) -> None:
    answers.send(lock.held)
    answers.recv()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_neither_holds_nor_releases_the_lock(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / ".lock", busy="busy")
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=tries_its_inherited_lock, args=(lock, theirs))
    child.start()
    assert ours.recv() is False
    with pytest.raises(IsthmusError, match="busy"):
        FileLock(tmp_path / ".lock", busy="busy")
    lock.release()
    FileLock(tmp_path / ".lock", busy="busy").release()
    ours.send(None)
    child.join()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IsthmusError, match="cannot be locked"):
        FileLock(tmp_path / ".lock", busy="busy")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_is_locked_without_a_file_in_it_and_by_any_of_its_names(tmp_path: Path) -> None:
    (folder := tmp_path / "own").mkdir()
    (tmp_path / "link").symlink_to(folder)
    with FileLock(folder, busy="busy"), pytest.raises(IsthmusError, match="busy"):
        FileLock(tmp_path / "link", busy="busy")
    FileLock(tmp_path / "link", busy="busy").release()
    assert list(folder.iterdir()) == []


def test_a_file_system_without_locks_causes_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(37, os.strerror(37))

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.warns(UserWarning, match="let one process at a time write"):
        FileLock(tmp_path / ".lock", busy="busy").release()
