"""`evaluate_task`: annotations, vectors, figures and coverage of one task as a result."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.evaluate.annotations.data import DataItem, Labelled, Pairs, Samples, Streams
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.coverage import DataCoverage
from isthmus.evaluate.results import TaskResult
from isthmus.evaluate.running.figures import Subset
from isthmus.evaluate.running.generalisation import CodedModel, generalisation_subset
from isthmus.evaluate.running.localisation import By, counterfactual_subset, localisation_subset, localisations
from isthmus.evaluate.running.retrieval import expected_groups, retrieval_subset, scored_groups
from isthmus.evaluate.running.sources import Found, Source
from isthmus.evaluate.running.views import Model, SpacePair
from isthmus.evaluate.running.zero_shot import prompt_entries, zero_shot_subset
from isthmus.evaluate.tasks.task import PUBLIC, Kind, Task

PACKAGES = ("isthmus", "torch", "numpy", "transformers")
HAVE_PUBLIC: tuple[Kind, ...] = ("counterfactual", "generalisation")
"""Kinds of tasks whose benchmark's public code differs from the protocol here."""
IN_FRAMES: tuple[Kind, ...] = ("localisation", "counterfactual")
Finder = Callable[[Source, str, Sequence[DataItem]], Found]


@dataclass(frozen=True)
class RunOptions:
    """How tasks of some kinds are run.

    Attributes:
        by: How frames are divided: windows that are embedded one by one, or the encoder's tokens.
        detector: Object detector that makes the windows, as for `isthmus.localize.load_detector`.
        public: Follow the public code of a benchmark where its protocol has known faults; results are marked.
        progress: As for `embed`.
    """

    by: By = "proposals"
    detector: str = ""
    public: bool = False
    progress: bool | OnProgress = False

    def revision(self, task: Task, model: str) -> str:
        """The revision under which a result is kept: the model's, and what differs from the usual way to run a task."""
        ways: list[str] = [self.by] if task.kind in IN_FRAMES and self.by != "proposals" else []
        ways += [Path(self.detector).name] if self.detector and task.kind in IN_FRAMES else []
        ways += ["public-protocol"] if self.public else []
        return "-".join([model, *ways])


def evaluate_task(
    task: Task, model: Model | CodedModel, data: DataFolder, options: RunOptions | None = None
) -> TaskResult:
    """Run a task.

    Args:
        task: The task, as `task_named` gives it.
        model: What is evaluated.
        data: The annotations, and the media unless they were embedded before.
        options: How tasks of some kinds are run.

    Returns:
        The figures of every view of the model, with coverage, confidence intervals and versions.

    Raises:
        IsthmusError: Annotations or media are missing, or no two vectors can be compared.
    """
    began = time.monotonic()
    options = options or RunOptions()
    _require_runnable(task, options)
    other = model.other_revisions() if isinstance(model, Model) else []
    for line in other:
        warnings.warn(line, stacklevel=2)
    subsets, coverage, views = _scored(task, model, data, options)
    details = {
        "kind": task.kind,
        "coverage": coverage.facts(),
        "subsets": {own.name: _facts(own, view) for own, view in zip(subsets, views, strict=True)},
        "versions": versions(),
        "notes": [*other, *task.notes],
        "protocol": PUBLIC if options.public else "",
    }
    return TaskResult(
        task_name=task.name,
        dataset_revision=data.revision(),
        isthmus_version=version("isthmus"),
        scores={"test": [_scores(task, own) for own in subsets]},
        evaluation_time=time.monotonic() - began,
        details=details,
    )


def _require_runnable(task: Task, options: RunOptions) -> None:
    if options.public and task.kind not in HAVE_PUBLIC:
        raise IsthmusError(f"{task.name}: has no public protocol of its own: leave out --protocol")
    if task.kind == "pretraining":
        raise IsthmusError(f"{task.name}: has clips to train on, not figures: --listing DIR writes tables of them")


def _scored(
    task: Task, model: Model | CodedModel, data: DataFolder, options: RunOptions
) -> tuple[list[Subset], DataCoverage, Sequence[SpacePair | None]]:
    """The figures of every view, by what the annotations are."""
    read = task.read(data)
    find = _finder(data)
    match read, model:
        case Pairs(), Model():
            return _retrieval(read, model, find)
        case Labelled(), Model():
            return _zero_shot(read, model, find)
        case Samples(), Model():
            return _localisation(task, read, model, find, data, options)
        case Streams(), CodedModel():
            subset, coverage = generalisation_subset(read, model, public=options.public)
            return [subset], coverage, [None]
        case Streams(), _:
            raise IsthmusError(f"{task.name}: needs a code model and tokens of clips: give --codes and --sets")
        case _:
            raise IsthmusError(f"{task.name}: takes no code model: give --connector instead of --codes")


def versions() -> dict[str, str]:
    """The versions that figures depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _finder(data: DataFolder) -> Finder:
    """Finds vectors, each source's of a modality once."""
    known: dict[tuple[str, str], Found] = {}

    def find(source: Source, modality: str, entries: Sequence[DataItem]) -> Found:
        key = (source.space, modality)
        if key not in known:
            known[key] = source.find(modality, entries, data)
        return known[key]

    return find


def _retrieval(pairs: Pairs, model: Model, find: Finder) -> tuple[list[Subset], DataCoverage, list[SpacePair]]:
    (left, one), (right, other) = pairs.sides.items()
    views = model.views(left, right)
    subsets = []
    scored: set[str] = set()
    for place, view in enumerate(views):
        found = find(view.left, left, one), find(view.right, right, other)
        subsets.append(retrieval_subset(pairs, view, *found))
        if place == 0:
            scored = scored_groups(pairs, *found)
            sides = {left: found[0].side, right: found[1].side}
    return subsets, DataCoverage(pairs.account, sides, len(expected_groups(pairs)), len(scored)), views


def _zero_shot(data: Labelled, model: Model, find: Finder) -> tuple[list[Subset], DataCoverage, list[SpacePair]]:
    views = model.views(data.modality, "text")
    prompts = prompt_entries(data)
    subsets = []
    for view in views:
        items, texts = find(view.left, data.modality, data.entries), find(view.right, "text", prompts)
        subsets.append(zero_shot_subset(data, view, items, texts))
    first = find(views[0].left, data.modality, data.entries).side
    sides = {data.modality: first, "text": find(views[0].right, "text", prompts).side}
    return subsets, DataCoverage(data.account, sides, len(data.entries), first.found), views


def _scores(task: Task, subset: Subset) -> dict[str, Any]:
    """One subset as MTEB has it: flat figures in [0, 1]."""
    main = subset.figures[task.main]
    return {"hf_subset": subset.name, "languages": ["eng-Latn"], "main_score": main, **subset.figures}


def _localisation(
    task: Task, data: Samples, model: Model, find: Finder, folder: DataFolder, options: RunOptions
) -> tuple[list[Subset], DataCoverage, list[SpacePair]]:
    view = model.views("image", "audio")[0]
    sounds = list({own.sound.id: own.sound for own in data.samples}.values())
    queries = find(view.right, "audio", sounds)
    found, coverage = localisations(
        data, view, queries, folder, by=options.by, detector=options.detector, progress=options.progress
    )
    if task.kind == "counterfactual":
        return [counterfactual_subset(found, view.name, public=options.public)], coverage, [view]
    return [localisation_subset(found, view.name)], coverage, [view]


def _facts(subset: Subset, view: SpacePair | None) -> dict[str, Any]:
    """What was compared, and how far its figures may be trusted."""
    facts: dict[str, Any] = {"intervals": {name: list(own) for name, own in subset.intervals.items()}, **subset.facts}
    if view is not None:
        revisions = {own.space: own.revision for own in (view.left, view.right)}
        facts |= {"when": view.when, "spaces": [view.left.space, view.right.space], "revisions": revisions}
    return facts
