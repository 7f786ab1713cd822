"""All tasks by name."""

from __future__ import annotations

from difflib import get_close_matches

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.tasks import (
    audio_image,
    audio_text,
    counterfactual,
    emergent_binding,
    generalisation,
    image_text,
    localisation,
    solids,
    zero_shot,
)
from isthmus.evaluate.tasks.task import Task

FAMILIES = (
    audio_image,
    audio_text,
    image_text,
    emergent_binding,
    localisation,
    counterfactual,
    solids,
    generalisation,
    zero_shot,
)


def tasks() -> dict[str, Task]:
    """Every task by name, family by family."""
    return {task.name: task for family in FAMILIES for task in family.TASKS}


def task_named(name: str) -> Task:
    """The task of this name. Raises `IsthmusError` if there is none."""
    known = tasks()
    if name not in known:
        close = "".join(f"did you mean {own}? " for own in get_close_matches(name, known, 1))
        raise IsthmusError(f"unknown task {name!r}: {close}isthmus evaluate --list has all of them")
    return known[name]
