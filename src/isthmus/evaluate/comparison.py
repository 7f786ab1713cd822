"""Comparison: any number of results beside the published figures of their tasks, one table per task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.results import TaskResult, read_result
from isthmus.evaluate.tasks import PUBLIC, Task, tasks

OURS, PUBLISHED = "measured", "published"
OURS_MARKED, MARKED = "measured, not comparable", "published, not comparable"
NOT_COMPARABLE, DAGGER = (OURS_MARKED, MARKED), "†"
COMPARABLE = 0.9
"""Share of a data set that has to be scored for figures to be comparable: a smaller gallery is easier."""


@dataclass(frozen=True)
class ComparedRow:
    """One model on one task: figures in percent by metric, and where they come from.

    Attributes:
        model: The model, and for results the view or direction.
        figures: Percent by metric; median ranks as they are.
        intervals: Confidence intervals in percent, of results.
        kind: Measured or published; comparable, or by another protocol or on a smaller part of the data set.
        note: Coverage of a result; source and protocol of a published figure.
    """

    model: str
    figures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    kind: str
    note: str


@dataclass(frozen=True)
class Compared:
    """The table of one task."""

    name: str
    title: str
    metrics: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    notes: tuple[str, ...]


def result_files(places: Sequence[Path]) -> list[Path]:
    """The result files at some places: files, or folders that contain them at any depth.

    Raises `IsthmusError` if a place has none.
    """
    found: list[Path] = []
    for place in places:
        own = sorted(place.rglob("*.json")) if place.is_dir() else [place]
        if not own:
            raise IsthmusError(f"{place}: has no result files (.json): give a folder that isthmus evaluate wrote")
        found += own
    return list(dict.fromkeys(found))


def compare(files: Sequence[Path]) -> list[Compared]:
    """The results of some files, task by task in the order of the tasks, with the published figures.

    A result is called by the folder of its model, and by that of its revision as well if a model has several.

    Raises `IsthmusError` if a file is not a result.
    """
    results = [(path, read_result(path)) for path in files]
    known = tasks()
    names = [*(name for name in known if any(own.task_name == name for _, own in results))]
    names += sorted({own.task_name for _, own in results} - set(known))
    return [_table(name, known.get(name), [own for own in results if own[1].task_name == name]) for name in names]


def _table(name: str, task: Task | None, results: Sequence[tuple[Path, TaskResult]]) -> Compared:
    rows = [row for path, own in results for row in _measured(path, own, task, results)]
    metrics = task.metrics if task is not None else tuple(dict.fromkeys(m for row in rows for m in row.figures))
    rows += _published(task) if task is not None else []
    title = f"{task.title}. {task.data.name}" if task is not None else name
    return Compared(name, title, metrics, tuple(rows), task.notes if task is not None else ())


def _chance(subset: Mapping[str, Any], task: Task | None) -> str:
    """What a random order would reach, in words."""
    name = "" if task is None else task.main
    chance = subset.get(f"chance.{name}")
    return "" if chance is None else f"; chance {name} {100 * chance:.2f}"


def _measured(
    path: Path, result: TaskResult, task: Task | None, every: Sequence[tuple[Path, TaskResult]]
) -> Iterator[ComparedRow]:
    """One row per view, and one per direction that published figures are of."""
    model = path.parent.parent.name
    if sum(other.parent.parent.name == model for other, _ in every) > 1:
        model = f"{model} {path.parent.name}"
    ways = {own.subset for own in task.published if own.subset.count("_to_")} if task is not None else set()
    for subset in (own for split in result.scores.values() for own in split):
        facts = result.details.get("subsets", {}).get(subset["hf_subset"], {})
        view = "" if subset["hf_subset"] == "default" else f", {subset['hf_subset']}"
        for way in ("", *sorted(ways)):
            figures = _figures(subset, task, way)
            intervals = _intervals(facts.get("intervals", {}), way)
            label = f"{model}{view}" + (f", {way.replace('_', ' ')}" if way else "")
            if figures:
                kind = OURS if _comparable(result) else OURS_MARKED
                yield ComparedRow(label, figures, intervals, kind, _coverage(result) + _chance(subset, task))


def _figures(subset: Mapping[str, Any], task: Task | None, way: str) -> dict[str, float]:
    start = f"{way}." if way else ""
    own = {name.removeprefix(start): value for name, value in subset.items() if name.startswith(start)}
    wanted = task.metrics if task is not None else ("main_score",)
    return {name: _percent(name, own[name]) for name in wanted if isinstance(own.get(name), int | float)}


def _intervals(intervals: Mapping[str, Sequence[float]], way: str) -> dict[str, tuple[float, float]]:
    start = f"{way}." if way else ""
    own = {name.removeprefix(start): value for name, value in intervals.items() if name.startswith(start)}
    return {name: (100 * low, 100 * high) for name, (low, high) in own.items() if "." not in name}


def _percent(name: str, value: float) -> float:
    return value if name == "median_rank" else 100 * value


def _comparable(result: TaskResult) -> bool:
    """Whether a result follows the usual protocol on nearly all of the data set; of other tools' it is not known."""
    coverage = result.details.get("coverage", {"scored": 1, "expected": 1})
    return not result.details.get("protocol") and coverage["scored"] >= COMPARABLE * coverage["expected"]


def _coverage(result: TaskResult) -> str:
    """How much of the data set was scored, in words; results of other tools do not say."""
    coverage = result.details.get("coverage")
    if not coverage:
        return "coverage not recorded"
    lost = sum(coverage["left_out"].values())
    parts = [f"{coverage['scored']} of {coverage['expected']} scored"]
    parts += [f"{side['missing']} {name} missing" for name, side in coverage["sides"].items() if side["missing"]]
    parts += [
        f"{side['unreadable']} {name} unreadable" for name, side in coverage["sides"].items() if side["unreadable"]
    ]
    parts += [f"{lost} left out of the annotations"] if lost else []
    protocol = result.details.get("protocol", "")
    return "; ".join([*parts, *([f"protocol: {protocol}"] if protocol else [])])


def _published(task: Task) -> list[ComparedRow]:
    """The figures of papers; those by a protocol that is known to be faulty, or is another one, are marked."""
    rows = []
    for own in task.published:
        way = f", {own.subset.replace('_', ' ')}" if own.subset else ""
        mark = f"; protocol: {own.protocol}" + (" (known faults)" if own.protocol == PUBLIC else "")
        kind = MARKED if own.protocol else PUBLISHED
        rows.append(
            ComparedRow(f"{own.model}{way}", own.figures, {}, kind, own.source + (mark if own.protocol else ""))
        )
    return rows
