"""The evaluate command."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isthmus.base.errors import IsthmusError
from isthmus.bulk.config import Precision
from isthmus.cli.interruption import kept_on_interrupt

if TYPE_CHECKING:
    from isthmus.connectors.connector import Connector
    from isthmus.connectors.graph.space_graph import SpaceGraph
    from isthmus.evaluate.annotations.folder import DataFolder
    from isthmus.evaluate.results import TaskResult
    from isthmus.evaluate.running.generalisation import CodedModel
    from isthmus.evaluate.running.run import RunOptions
    from isthmus.evaluate.running.sources import Source
    from isthmus.evaluate.running.views import Model
    from isthmus.evaluate.tasks.task import Task


def evaluate(
    task: str | None = None,
    *,
    connector: Path | None = None,
    data: tuple[Path, ...] = (),
    sets: tuple[Path, ...] = (),
    space: tuple[str, ...] = (),
    codes: Path | None = None,
    out: Path = Path("results"),
    work: Path = Path("evaluation"),
    name: str | None = None,
    by: Literal["proposals", "dense"] = "proposals",
    detector: str = "",
    protocol: Literal["own", "public"] = "own",
    device: str | None = None,
    precision: Precision = "float32",
    batch: int | None = None,
    workers: int | None = None,
    list: bool = False,
    check: bool = False,
    listing: Path | None = None,
) -> None:
    """Run a benchmark of the papers with a connector, and write a result file.

    The folder of the data set is searched at any depth for its annotations and media; --check says what it lacks.
    Vectors are kept in --work: an interrupted run continues there, and other tasks find them. The figures come with
    how much of the data set was scored.

    Args:
        task: Name of the task; --list has all of them.
        connector: Folder of a connector or of a graph of spaces, or a checkpoint of the authors (.pt); without it, the
            spaces are scored as they are.
        data: Folder of the data set, or several, such as one of annotations and one of media.
        sets: Embedding sets to take vectors from, instead of embedding media; their ids contain the names of the files.
        space: Encoders to embed with, as for isthmus embed; by default those that the connector names.
        codes: Folder of a code model, for cross-modal generalisation; --sets are then token sets of the clips.
        out: Folder of results: MODEL/REVISION/TASK.json.
        work: Folder of the vectors that were embedded.
        name: Name of the model in results; by default the name of the connector's folder.
        by: How to look for audio in frames: in windows that are embedded one by one, or in the encoder's tokens.
        detector: Object detector of transformers that makes the windows, such as hustvl/yolos-tiny or a folder; by
            default they are of several sizes and shapes.
        protocol: Follow the benchmark's public code where it has known faults; such results are marked everywhere.
        device: Device for encoders: cpu, cuda or cuda:N; by default cuda if available.
        precision: Arithmetic of the encoders.
        batch: Items to encode at once.
        workers: Processes that decode media.
        list: List the tasks: modalities, data set, licence, where it is published, its size and its layout.
        listing: Write tables of the data set's media to this folder, for isthmus embed, instead of scoring: sets made
            from them have the ids of the annotations, so that the modalities of a clip meet.
        check: Say what the folder has and lacks, without embedding.
    """
    from isthmus.evaluate.annotations.folder import DataFolder
    from isthmus.evaluate.running.run import RunOptions
    from isthmus.evaluate.running.sources import EncodeOptions
    from isthmus.evaluate.tasks import task_named

    if list:
        print("\n".join(_listed(task)))
        return
    if task is None:
        raise IsthmusError("missing TASK: see isthmus evaluate --list")
    chosen = task_named(task)
    if not data:
        raise IsthmusError(f"missing --data: the folder of {chosen.data.name} (see isthmus evaluate {task} --list)")
    folder = DataFolder(*data)
    if check or listing is not None:
        _check(chosen, folder) if listing is None else _write_listings(chosen, folder, listing)
        return
    if codes is not None:
        model = _coded_model(codes, sets, name)
    else:
        model = _model(connector, sets, space, work, name, EncodeOptions(device, precision, batch, workers))
    with kept_on_interrupt(lambda: f"finished vectors are in {work}; run the same command again to continue"):
        _run(chosen, model, folder, RunOptions(by, detector, protocol == "public", progress=True), out)


def _check(task: "Task", data: "DataFolder") -> None:
    from isthmus.evaluate.running.checking import check_folder

    lines, ready = check_folder(task, data)
    print("\n".join(lines))
    if not ready:
        raise IsthmusError(f"{data}: {task.name} cannot run on it yet: get what is listed above")


def _run(task: "Task", model: "Model | CodedModel", data: "DataFolder", options: "RunOptions", out: Path) -> None:
    from isthmus.evaluate.results import write_result
    from isthmus.evaluate.running.run import evaluate_task

    result = evaluate_task(task, model, data, options)
    path = write_result(out, model.name, options.revision(task, model.revision), result)
    print("\n".join(result_lines(task, result)))
    print(f"\nresult: {path}")
    print(f"next: isthmus report {out} --out report.html")


def _coded_model(codes: Path, sets: Sequence[Path], name: str | None) -> "Model | CodedModel":
    from isthmus.evaluate.running.generalisation import open_coded_model

    return open_coded_model(codes, sets, name)


def _write_listings(task: "Task", data: "DataFolder", folder: Path) -> None:
    from isthmus.evaluate.coverage import account_lines
    from isthmus.evaluate.running.listings import embed_command, write_listings

    read = task.read(data)
    written = write_listings(read, data, folder)
    print("\n".join([*(count.line(name) for name, (_, count) in written.items()), *account_lines(read.account)]))
    print("\nnext:\n" + "\n".join(embed_command(name, table) for name, (table, _) in written.items()))


def result_lines(task: "Task", result: "TaskResult") -> list[str]:
    """The figures of a result with their intervals and its coverage, one line per view."""
    coverage = result.details["coverage"]
    protocol = result.details["protocol"]
    marked = f", by the protocol of the {protocol}, which has known faults" if protocol else ""
    lines = [f"{task.name}: scored {coverage['scored']} of {coverage['expected']} items{marked}"]
    for subset in result.scores["test"]:
        intervals = result.details["subsets"][subset["hf_subset"]]["intervals"]
        figures = [_figure(name, subset, intervals.get(name)) for name in task.metrics if name in subset]
        lines.append(f"  {subset['hf_subset']}: " + ", ".join(figures))
    for modality, side in coverage["sides"].items():
        lost = {name: side[name] for name in ("missing", "unreadable", "cut") if side[name]}
        if side["from_videos"]:
            lines.append(f"  {modality}: {side['from_videos']} are the middle frames of videos")
        if lost:
            parts = [f"{side['found']} of {side['expected']} found", *(f"{own} {name}" for name, own in lost.items())]
            lines.append(f"  {modality}: {', '.join(parts)}")
    lines += [f"  left out of the annotations: {count} × {what}" for what, count in coverage["left_out"].items()]
    return [*lines, *(f"  in the annotations: {count} × {what}" for what, count in coverage["noted"].items())]


def _figure(name: str, subset: Mapping[str, Any], interval: Sequence[float] | None) -> str:
    """One figure in percent, with its interval and what chance gives: "r1 25.00 (10.00 to 40.00; chance 0.02)"."""
    if name == "median_rank":
        return f"{name} {subset[name]:g}"
    beside = [f"{100 * interval[0]:.2f} to {100 * interval[1]:.2f}"] if interval else []
    chance = subset.get(f"chance.{name}")
    beside += [] if chance is None else [f"chance {100 * chance:.2f}"]
    return f"{name} {100 * subset[name]:.2f}" + (f" ({'; '.join(beside)})" if beside else "")


def _model(
    connector: Path | None,
    sets: Sequence[Path],
    spaces: Sequence[str],
    work: Path,
    name: str | None,
    options: object,
) -> "Model | CodedModel":
    """The model to evaluate: its projection, and where its vectors come from."""
    from isthmus.evaluate.running.views import Model, load_joint, revision_of

    joint = load_joint(connector)
    sources = _sources(joint, sets, spaces, work, options)
    revision = "-".join(own.revision[:12] for own in sources) if joint is None else revision_of(joint)
    default = connector.name if connector is not None else "+".join(own.space for own in sources)
    return Model(name or default, revision or "unknown", sources, joint)


def _sources(
    joint: "Connector | SpaceGraph | None", sets: Sequence[Path], spaces: Sequence[str], work: Path, options: object
) -> "list[Source]":
    """Sets that were embedded before, or the encoders of the connector's spaces."""
    from isthmus.evaluate.running.sources import EncodeOptions, EncoderSource, set_sources
    from isthmus.evaluate.running.views import spaces_of

    known = [] if joint is None else spaces_of(joint)
    found: list[Source] = []
    if sets:
        found += set_sources(sets, spaces)
    else:
        assert isinstance(options, EncodeOptions)
        specs = spaces or known
        if not specs:
            raise IsthmusError("give --connector, --space or --sets: what to evaluate")
        found += [EncoderSource(spec, work, options, progress=True) for spec in specs]
    families = {own.partition(":")[0] for own in known if ":" not in own}  # official checkpoints name families
    of_joint = [own.space in known or own.space.partition(":")[0] in families for own in found]
    strange = next((own.space for own, fits in zip(found, of_joint, strict=True) if known and not fits), None)
    if strange is not None:
        raise IsthmusError(
            f"space {strange!r} is not one of the connector's ({', '.join(map(repr, known))}): give its encoders"
        )
    return found


def _listed(name: str | None) -> list[str]:
    """The tasks in a table, or everything about one of them."""
    from isthmus.evaluate.tasks import task_named, tasks

    if name is not None:
        return _described(task_named(name))
    lines = []
    for task in tasks().values():
        size = f"{task.data.gigabytes:g} GB"
        lines.append(f"{task.name}  {', '.join(task.modalities)}; {', '.join(task.metrics[:3])}")
        lines.append(f"    {task.title}")
        lines.append(f"    {task.data.name}, about {size}; {task.data.licence}")
        lines.append(f"    {task.data.url}")
        lines.append(f"    folder: {'; '.join(task.data.layout)}")
    return [*lines, "", "One in full, with published figures: isthmus evaluate TASK --list"]


def _described(task: "Task") -> list[str]:
    """Everything about one task."""
    from isthmus.evaluate.running.checking import wanted_lines

    lines = [f"{task.name}: {task.title}", f"modalities: {', '.join(task.modalities)}"]
    lines += [f"metrics: {', '.join(task.metrics)}", *wanted_lines(task), *(f"note: {own}" for own in task.notes)]
    for own in task.published:
        figures = ", ".join(f"{name} {value:g}" for name, value in own.figures.items())
        marks = "; ".join(mark for mark in (own.subset, own.protocol) if mark)
        lines.append(f"published: {own.model}: {figures} ({own.source}{'; ' + marks if marks else ''})")
    return lines
