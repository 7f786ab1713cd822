"""Checking: what a task's folder has and lacks, without embedding anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.annotations.data import DataItem, Labelled, Pairs, Samples, Streams
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.coverage import MediaCount, account_lines
from isthmus.evaluate.running.sources import named_sources, videos_of
from isthmus.evaluate.tasks.task import Task

Read = Pairs | Labelled | Samples | Streams
"""What a task reads of its annotations."""


def check_folder(task: Task, data: DataFolder) -> tuple[list[str], bool]:
    """What a folder has of a task's data, in lines, and whether the task can run on it.

    Args:
        task: The task.
        data: The folder.

    Returns:
        Lines to print: annotations, what is unusual in them, the media of each modality with counts, and what to get;
        and whether there is at least one item with all of its media.
    """
    lines = [f"{task.name}: {task.data.name}"]
    absent = [names for names in task.data.annotations if data.find(*names.split("|")) is None]
    lines += [f"no {' or '.join(names.split('|'))}: get it from {task.data.url}" for names in absent]
    if absent:
        return [*lines, *wanted_lines(task)], False
    try:
        read = task.read(data)
    except IsthmusError as error:
        return [*lines, str(error), *wanted_lines(task)], False
    sides = {name: _side(name, entries, data) for name, entries in entries_of(read).items()}
    lines.append(f"annotations: {read.account.rows} rows ({data.revision()})")
    lines += account_lines(read.account)
    lines += [side.line(name) for name, side in sides.items()]
    ready = complete_items(read, data)
    if ready == 0:
        lines.append("no item has all of its media")
        lines += [*_hints(sides, entries_of(read), data), *wanted_lines(task)]
    else:
        lines.append(f"ready: {ready} items have all of their media")
    return lines, ready > 0


def wanted_lines(task: Task) -> list[str]:
    """What to get, and where to put it."""
    size = f"about {task.data.gigabytes:g} GB" + (f", {task.data.items} items" if task.data.items else "")
    return [
        f"get {task.data.name} from {task.data.url} ({size}; licence: {task.data.licence})",
        "expected, at any depth below the folder:",
        *(f"  {line}" for line in task.data.layout),
    ]


def entries_of(read: Read) -> Mapping[str, Sequence[DataItem]]:
    """The items of each modality that annotations name, each once."""
    match read:
        case Pairs():
            found = read.sides
        case Labelled():
            found = {read.modality: read.entries}
        case Samples():
            found = {"image": [own.image for own in read.samples], "audio": [own.sound for own in read.samples]}
        case Streams():
            found = {name: [own.entry for own in streams] for name, streams in read.by_modality.items()}
    return {name: list({own.id: own for own in entries}.values()) for name, entries in found.items()}


def complete_items(read: Read, data: DataFolder) -> int:
    """How many items have all of their media: pairs by group, samples by picture and sound, streams by either."""
    has = {name: set(named_sources(name, entries, data)) for name, entries in entries_of(read).items()}
    match read:
        case Pairs():
            groups = [{own.group for own in side if own.id in has[name]} for name, side in read.sides.items()]
            return len(set.intersection(*groups))
        case Samples():
            return sum(own.image.id in has["image"] and own.sound.id in has["audio"] for own in read.samples)
        case _:
            return min(len(own) for own in has.values())


def _side(modality: str, entries: Sequence[DataItem], data: DataFolder) -> MediaCount:
    found = named_sources(modality, entries, data)
    missing = tuple(own.id for own in entries if own.id not in found)
    taken = len(videos_of(entries, data)) if modality == "image" else 0
    return MediaCount(len(entries), len(found), missing, from_videos=taken)


def _hints(
    sides: Mapping[str, MediaCount], entries: Mapping[str, Sequence[DataItem]], data: DataFolder
) -> Iterator[str]:
    """What the folder has instead of what is missing."""
    for name, side in sides.items():
        if side.found or name == "text":
            continue
        if others := len(data.media(name)):
            first = next(iter(data.media(name).by_stem.values()))
            example = entries[name][0].names[:3]
            yield f"{others} {name} files with other names ({first.name}); expected {' or '.join(example)}"
