"""The inspect command."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from isthmus.base.errors import IsthmusError

SHOWN_LOSS = 0.01
"""Loss of a blend's narrowing from which it is shown."""


def inspect(
    path: Path,
    other: Path | None = None,
    *,
    verify: bool = False,
    space: str | None = None,
    report: Path | None = None,
    media: tuple[Path, ...] = (),
) -> None:
    """Show what an embedding set, a connector, a graph of spaces, a code model or an assignment contains.

    Of an embedding set it also shows what looks broken, and of two sets whether rows with equal ids agree.

    Args:
        path: Folder of one of these; folders written by clip-retrieval and official checkpoints work too.
        other: A second embedding set, to compare with the first before connecting both.
        verify: Read every file and compare it with its recorded hash.
        space: Name of the space of a folder without a manifest; by default the folder's name.
        report: Write the report of the connector to this .html file.
        media: Embedding sets in which the page finds the images and audio clips of the items it shows.
    """
    if media and report is None:
        raise IsthmusError("--media is for the page of a report: add --report FILE")
    if space is not None:
        shown = list(_set(path, verify, space))
    else:
        shown = [lines for has, show in KINDS if has(path) for lines in show(path, verify)]
    if not shown:
        raise IsthmusError(
            f"{path}: is not an embedding set, connector, graph of spaces, code model or assignment: "
            "give the folder of one"
        )
    if other is not None:
        shown += [*_set(other, verify), *_agreements(path, other, space)]
    print("\n".join(shown))
    if report is not None:
        print(f"report: {_page(path, report, media)}")


def _page(path: Path, report: Path, media: Sequence[Path]) -> Path:
    from isthmus.connectors.connector import Connector
    from isthmus.embeddings import open_set

    own = Connector.load(path).report
    if own is None:
        raise IsthmusError(f"{path}: has no report: connect the spaces again to get one")
    return own.save(report, *(open_set(place) for place in media))


def _set(path: Path, verify: bool, space: str | None = None) -> Iterator[str]:
    from isthmus.connectors.overlap.directions import shared_directions
    from isthmus.embeddings import inspect_set, open_set

    yield inspect_set(path, verify=verify, space=space)
    filled = [own for own in open_set(path, space, unfinished=True).values() if len(own) > 0]
    for first, second in combinations(filled, 2):
        if first.dim == second.dim:
            found = shared_directions(first, second)
            yield f"{first.modality} and {second.modality}: {found}"
            if found.refuted:
                yield "  note: they vary along different directions: of other content, or embedded with another model"


def _agreements(left: Path, right: Path, space: str | None) -> Iterator[str]:
    """Whether rows of two sets with equal ids agree, for every modality that both have."""
    from isthmus.connectors.overlap.agreement import agreement
    from isthmus.embeddings import open_set

    first, second = open_set(left, space), open_set(right)
    both = [name for name in first if name in second]
    if not both:
        raise IsthmusError(f"{left} and {right} have no modality in common: give two sets that share one")
    for name in both:
        own, other = first[name], second[name]
        if own.numbered or other.numbered:
            yield f"{name} of both: no ids, rows are only numbered: nothing to compare"
        else:
            yield f"{name} of {own.space!r} and {other.space!r}: {agreement(own, other)}"


def _connector(path: Path, verify: bool) -> Iterator[str]:
    from isthmus.artifacts.folder import CONFIG
    from isthmus.connectors.connector import Connector
    from isthmus.connectors.files import FORMAT, KIND
    from isthmus.connectors.official_spaces import TRAINED_ON

    own = Connector.load(path)
    yield f"connector of {own.left_space!r} and {own.right_space!r} through {own.overlap}, joint space {own.space!r}"
    weighted = zip(own.members, own.weights, strict=True)
    yield f"  {own.dim} dimensions, " + ", ".join(
        f"{member.method} (weight {weight:.2f})" for member, weight in weighted
    )
    if own.config.get("official") and not own.config.get("exported", False):
        for space, trained in TRAINED_ON.items():
            if space in (own.left_space, own.right_space):
                yield f"  {space}: trained on {trained.checkpoint} ({trained.remedy})"
    lost = own.choice.get("narrowing", {}).get("lost", 0.0)
    if lost > SHOWN_LOSS:
        yield f"  narrowing to {own.dim} dimensions lost {100 * lost:.1f} % of the squared length (--joint-dim)"
    if left_out := (own.choice.get("tried", {}).get("trained") or own.choice.get("trained") or {}).get("left_out"):
        yield f"  no trained member: {left_out}"
    if own.report is not None:
        yield from (f"  {line}" for line in own.report.lines())
    if verify:
        yield _verified(path, CONFIG, FORMAT, KIND) if path.is_dir() else "no hashes to compare"


def _graph(path: Path, verify: bool) -> Iterator[str]:
    from isthmus.artifacts.folder import GRAPH
    from isthmus.connectors.graph.files import FORMAT, KIND
    from isthmus.connectors.graph.space_graph import SpaceGraph

    yield str(SpaceGraph.load(path))
    if verify:
        yield _verified(path, GRAPH, FORMAT, KIND)


def _codes(path: Path, verify: bool) -> Iterator[str]:
    from isthmus.artifacts.folder import CONFIG
    from isthmus.codes.model.files import FORMAT, KIND
    from isthmus.codes.model.model import CodeModel

    own = CodeModel.load(path)
    yield f"code model: {len(own.codebook)} codes for {', '.join(own.views)}"
    yield from (f"  {name}: {view.modality} tokens of {view.space!r}, {view.dim}-d" for name, view in own.views.items())
    yield from (f"  {line}" for line in own.facts.get("health", []))
    if verify:
        yield _verified(path, CONFIG, FORMAT, KIND)


def _assignment(path: Path, verify: bool) -> Iterator[str]:
    from isthmus.codes.reading.assignment import FORMAT, KIND, RECORD, Assignment

    own = Assignment.load(path)
    yield f"assignment: {len(own)} {own.modality} items, {len(own.codes)} tokens, {own.size} codes"
    if verify:
        yield _verified(path, RECORD, FORMAT, KIND)


def _model(path: Path, verify: bool) -> Iterator[str]:
    """A connector or a code model: both have a `config.json`."""
    from isthmus.artifacts.folder import CONFIG
    from isthmus.base.json_files import read_json
    from isthmus.codes.model.files import FORMAT

    found = read_json(path / CONFIG, "copy or save the model again", finite=False)
    codes = isinstance(found, dict) and found.get("format") == FORMAT
    yield from (_codes if codes else _connector)(path, verify)


def _verified(path: Path, record: str, form: str, kind: str) -> str:
    from isthmus.artifacts.record import read_record, verified

    return verified(path, read_record(path, record, form, kind), kind)


def _has(*patterns: str) -> Callable[[Path], bool]:
    return lambda path: any(True for pattern in patterns for _ in path.glob(pattern))


KINDS: list[tuple[Callable[[Path], bool], Callable[[Path, bool], Iterator[str]]]] = [
    (_has("manifest.json", "*_emb", "*_tokens/manifest.json"), _set),
    (_has("graph.json"), _graph),
    (_has("config.json"), _model),
    (_has("assignment.json"), _assignment),
    (lambda path: path.suffix in (".pt", ".pth", ".bin") and path.is_file(), _connector),
]
"""How each kind is recognised, and what shows it."""
