"""Saving over an artifact: killed or out of disk space at any step, the folder has the old or the new one, whole."""

import errno
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus import CodeModel, Connector, SpaceGraph
from isthmus.base.errors import IsthmusError
from isthmus.codes.reading.assignment import Assignment

SAVED = Path(__file__).parents[1] / "saved_by_0_1"
NEED_SPACE = ("os.rename", "os.link", "os.mkdir")
CHANGES = (*NEED_SPACE, "os.remove", "os.rmdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


EVERY = int(os.environ.get("ISTHMUS_TEST_EVERY", "9"))
"""A fault happens at every n-th step; 1 tries all of them, which takes minutes."""


@dataclass
class Fault:
    """What happens at step number ``at`` of those that change something on the disk."""

    at: int
    happens: Callable[[], None]
    events: tuple[str, ...] = CHANGES
    lasts: bool = False
    step: int = 0

    def __post_init__(self) -> None:
        self.thread = threading.get_ident()

    def pass_by(self, event: str, arguments: tuple[Any, ...]) -> None:
        if threading.get_ident() == self.thread and (event in self.events or _opens_for_writing(event, arguments)):
            self.step += 1
            if self.step == self.at or (self.lasts and self.step > self.at):
                self.happens()


def _opens_for_writing(event: str, arguments: tuple[Any, ...]) -> bool:
    return event == "open" and bool((arguments[2] or 0) & WRITING)


now: list[Fault] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if now:
        now[0].pass_by(event, arguments)


@pytest.fixture(scope="session", autouse=True)
def _watched() -> None:
    sys.addaudithook(_hook)


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@dataclass(frozen=True)
class Kind:
    load: Callable[[Path], Any]
    save: Callable[[Any, Path], Path]
    same: Callable[[Any, Any], bool]
    old: str
    new: Callable[[], Any]


def same_connectors(one: Connector, other: Connector) -> bool:
    return one.space == other.space and one.config == other.config


def same_graphs(one: SpaceGraph, other: SpaceGraph) -> bool:
    return one.kind == other.kind and all(map(same_connectors, one.legs, other.legs))


def same_models(one: CodeModel, other: CodeModel) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return one.config == other.config and all(np.array_equal(first[name], second[name]) for name in first)


def same_assignments(one: Assignment, other: Assignment) -> bool:
    return one.ids == other.ids and np.array_equal(one.codes, other.codes) and np.array_equal(one.places, other.places)


def another_assignment() -> Assignment:
    old = Assignment.load(SAVED / "assignment")
    fewer = int(old.offsets[5])
    return replace(
        old, codes=(old.codes[:fewer] + 1) % 6, offsets=old.offsets[:6], places=old.places[:fewer], ids=old.ids[5:10]
    )


def connector(name: str) -> Callable[[], Connector]:
    return lambda: Connector.load(SAVED / name)


KINDS = {
    "connector": Kind(Connector.load, Connector.save, same_connectors, "connector-cca", connector("connector-cmcr")),
    "graph": Kind(
        SpaceGraph.load, SpaceGraph.save, same_graphs, "graph-joint", lambda: SpaceGraph.load(SAVED / "graph-star")
    ),
    "codes": Kind(
        CodeModel.load, CodeModel.save, same_models, "codes", lambda: CodeModel.load(SAVED / "codes-literal")
    ),
    "assignment": Kind(Assignment.load, Assignment.save, same_assignments, "assignment", another_assignment),
}


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def folders(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_dir()}


def killed(save: Callable[[], object], at: int) -> bool:
    """Whether a process that saves was killed at step ``at``; False if it had fewer steps."""
    child = os.fork()
    if child == 0:
        now[:] = [Fault(at, lambda: os._exit(9))]
        save()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def without_space(save: Callable[[], object], at: int) -> bool:
    """Whether saving failed by name because the disk is full from step ``at`` on; False if it had fewer steps."""

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    now[:] = [Fault(at, full, NEED_SPACE, lasts=True)]
    message = "No space left on device"
    try:
        save()
    except IsthmusError as error:
        message = str(error)
    finally:
        reached = now.pop().step >= at
    assert "No space left on device" in message
    assert "\n" not in message
    return reached


def loaded(kind: Kind, folder: Path, old: Any, new: Any) -> str:
    """Which of the two the folder has: old, new or none. Anything else is an error."""
    try:
        found = kind.load(folder)
    except IsthmusError as error:
        if old is not None or "not found" not in str(error):
            raise
        return "none"
    if kind.same(found, new):
        return "new"
    assert old is not None
    assert kind.same(found, old)
    return "old"


def starts(kind: Kind, tmp_path: Path, start: str) -> tuple[Path, Any]:
    """A folder with an older artifact, or none, and files of the user's own."""
    folder, old = tmp_path / "own", None
    if start == "by 0.1":
        shutil.copytree(SAVED / kind.old, folder)
    elif start == "by today":
        kind.save(kind.load(SAVED / kind.old), folder)
    else:
        folder.mkdir()
    if start != "empty":
        old = kind.load(folder)
    (folder / "model-mine.safetensors").write_text("mine")
    (folder / "leg_0").mkdir(exist_ok=True)
    (folder / "leg_0" / "notes.txt").write_text("mine")
    return folder, old


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("fault", [killed, without_space])
@pytest.mark.parametrize(
    ("name", "start"), [*((name, "by 0.1") for name in KINDS), ("connector", "by today"), ("connector", "empty")]
)
def test_a_fault_at_any_step_leaves_one_of_the_two_and_no_litter_after_the_next_save(
    name: str, start: str, fault: Callable[[Callable[[], object], int], bool], tmp_path: Path
) -> None:
    kind = KINDS[name]
    new = kind.new()
    origin, old = starts(kind, tmp_path, start)
    aim = tmp_path / "aim"
    shutil.copytree(origin, aim)
    kind.save(new, aim)
    expected, seen = listing(aim), set()
    for at in range(1, 1000, EVERY):
        folder = tmp_path / "now"
        shutil.copytree(origin, folder)
        if not fault(lambda folder=folder: kind.save(new, folder), at):
            break
        seen.add(loaded(kind, folder, old, new))
        kind.save(new, folder)
        assert listing(folder) == expected
        assert folders(folder) == folders(aim)
        shutil.rmtree(folder)
    assert seen == {"none" if old is None else "old", "new"}
    assert at > 15
