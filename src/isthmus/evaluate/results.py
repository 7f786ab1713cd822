"""Results on disk: one JSON file per model, revision and task, in the shape MTEB gives its result files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError

NOT_FOR_PATHS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class TaskResult:
    """What one model scored on one task.

    ``scores`` maps split to a list of subsets, each a flat object with ``hf_subset``, ``languages``,
    ``main_score`` (in [0, 1], as MTEB has it) and its figures. ``evaluation_time`` is in seconds.
    """

    task_name: str
    dataset_revision: str
    isthmus_version: str
    scores: Mapping[str, list[dict[str, Any]]]
    evaluation_time: float


def task_result(
    task: str, dataset_revision: str, version: str, galleries: Mapping[str, float], seconds: float
) -> TaskResult:
    """A result from the figures of `evaluate_galleries`: a subset for each gallery, R@1 as the main score.

    Figures are stored as shares in [0, 1], median ranks as they are.
    """
    names = sorted({name.split(".")[0] for name in galleries})
    subsets = [_subset(name, galleries) for name in names]
    return TaskResult(task, dataset_revision, version, {"test": subsets}, seconds)


def write_result(folder: Path, model: str, revision: str, result: TaskResult) -> Path:
    """Write ``<folder>/<model>/<revision>/<task>.json``, whole or not at all; returns the path.

    A file already there with the same scores is left as it is. Raises `IsthmusError` where it has others.
    """
    path = folder / _segment(model) / _segment(revision) / f"{_segment(result.task_name)}.json"
    if path.exists():
        if _comparable(read_result(path)) == _comparable(result):
            return path
        raise IsthmusError(f"{path} holds other scores of the same model and revision: move or delete it first")
    write_text_atomically(path, json.dumps(asdict(result), indent=2, sort_keys=True) + "\n")
    return path


def read_result(path: Path) -> TaskResult:
    """Read a file written by `write_result`. Raises `IsthmusError` naming what is wrong with it."""
    try:
        return TaskResult(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise IsthmusError(f"{path} does not exist: run the evaluation that writes it") from None
    except (ValueError, TypeError) as error:
        raise IsthmusError(f"{path} is no result file ({error}): delete it and evaluate again") from None


def _subset(gallery: str, figures: Mapping[str, float]) -> dict[str, Any]:
    own = {name.removeprefix(f"{gallery}."): value for name, value in figures.items() if name.startswith(f"{gallery}.")}
    shares = {name: value if name.endswith("median_rank") else value / 100 for name, value in own.items()}
    return {"hf_subset": gallery, "languages": ["eng-Latn"], "main_score": shares["r1"], **shares}


def _comparable(result: TaskResult) -> Any:
    """What must agree for two results to be the same; the time an evaluation took may differ."""
    return json.loads(json.dumps({**asdict(result), "evaluation_time": None}))


def _segment(name: str) -> str:
    return NOT_FOR_PATHS.sub("_", name.replace("/", "__")).strip(".") or "_"
