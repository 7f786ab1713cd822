"""Results on disk: one JSON file per model, revision and task, which `mteb.TaskResult.from_disk` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import json_text, read_json

NOT_FOR_PATHS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class TaskResult:
    """The scores of one model on one task.

    Attributes:
        task_name: Name of the task; it becomes the file's name.
        dataset_revision: Which data the scores were measured on.
        isthmus_version: Version of the library that measured them; None in a file of MTEB's own.
        scores: Split to a list of subsets, each a flat object with ``hf_subset``, ``languages``, ``main_score``
            (in [0, 1], as in MTEB) and its figures.
        evaluation_time: Seconds of the evaluation; None if MTEB did not measure them.
        mteb_version: Version of MTEB that measured them; None for tasks of isthmus. MTEB takes a file without this
            field for one of its own from before 2024.
        details: What MTEB has no place for: coverage, confidence intervals, spaces and revisions by subset, versions.
    """

    task_name: str
    dataset_revision: str
    isthmus_version: str | None
    scores: Mapping[str, list[dict[str, Any]]]
    evaluation_time: float | None
    mteb_version: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def task_result(
    task: str, dataset_revision: str, version: str, galleries: Mapping[str, float], seconds: float
) -> TaskResult:
    """A result of the figures of `evaluate_galleries`: one subset per gallery, R@1 as the main score.

    Percentages are stored as shares in [0, 1], median ranks as they are.
    """
    names = sorted({name.split(".")[0] for name in galleries})
    subsets = [_subset(name, galleries) for name in names]
    return TaskResult(task, dataset_revision, version, {"test": subsets}, seconds)


def write_result(folder: Path, model: str, revision: str, result: TaskResult) -> Path:
    """Write ``<folder>/<model>/<revision>/<task>.json`` atomically.

    A file that already has the same scores is left unchanged, even if its evaluation took another time.

    Args:
        folder: Folder of all results.
        model: Name of the model; ``/`` becomes ``__`` in the path.
        revision: Revision of the model.
        result: The scores.

    Returns:
        The path of the file.

    Raises:
        IsthmusError: The file exists and has other scores.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from isthmus.evaluate import TaskResult, read_result, write_result
        >>> scores = {"test": [{"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.8}]}
        >>> result = TaskResult("Retrieval", "data-1", "0.1.0", scores, evaluation_time=1.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_result(Path(folder), "isthmus/cca", "model-1", result)
        ...     print(path.relative_to(folder).as_posix(), read_result(path) == result)
        isthmus__cca/model-1/Retrieval.json True
    """
    path = folder / _segment(model) / _segment(revision) / f"{_segment(result.task_name)}.json"
    if path.exists():
        if _comparable(read_result(path)) == _comparable(result):
            return path
        raise IsthmusError(f"{path} has other scores of the same model and revision: move or delete it first")
    write_text_atomically(path, json_text(asdict(result), indent=2, sort_keys=True))
    return path


def read_result(path: Path) -> TaskResult:
    """Read a file that `write_result`, an earlier version of it, or MTEB wrote.

    Args:
        path: The file.

    Returns:
        The scores. Fields that only MTEB has, such as its emissions, are left out.

    Raises:
        IsthmusError: The file is missing or is not a result file.
    """
    remedy = "delete it and evaluate again"
    content = read_json(path, remedy, finite=False)
    with reading(path, remedy):
        known = {one.name for one in fields(TaskResult)}
        return TaskResult(**{"isthmus_version": None, **{name: own for name, own in content.items() if name in known}})


def _subset(gallery: str, figures: Mapping[str, float]) -> dict[str, Any]:
    own = {name.removeprefix(f"{gallery}."): value for name, value in figures.items() if name.startswith(f"{gallery}.")}
    shares = {name: value if name.endswith("median_rank") else value / 100 for name, value in own.items()}
    return {"hf_subset": gallery, "languages": ["eng-Latn"], "main_score": shares["r1"], **shares}


def _comparable(result: TaskResult) -> Any:
    """The part of a result that must agree for two results to be the same: all but the time and the details."""
    return json.loads(json_text({**asdict(result), "evaluation_time": None, "details": {}}))


def _segment(name: str) -> str:
    return NOT_FOR_PATHS.sub("_", name.replace("/", "__")).strip(".") or "_"
