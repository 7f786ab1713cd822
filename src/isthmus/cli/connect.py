"""The connect command: two sets give a connector, more give a graph of spaces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isthmus.base.errors import IsthmusError
from isthmus.cli.interruption import kept_checkpoints, kept_on_interrupt
from isthmus.cli.sets import one_modality, open_sets, space_option
from isthmus.connectors.config import METHODS, MethodConfig

if TYPE_CHECKING:
    from isthmus.embeddings import Embeddings

MethodName = Literal["auto", "procrustes", "ridge", "cca", "bridge", "cmcr", "exmcr"]


def connect_with(method: str) -> Callable[..., None]:
    """The connect command with the options of one method."""
    options_type: Any = METHODS[method]

    def connect(
        *sets: Path,
        out: Path,
        overlap: str = "text",
        method: MethodName = "auto",
        seed: int = 0,
        device: str | None = None,
        base_space: str | None = None,
        onto: Path | None = None,
        space: tuple[str, ...] = (),
        queries: Path | None = None,
        gallery: Path | None = None,
        query_modality: str | None = None,
        gallery_modality: str | None = None,
        report: Path | None = None,
        force: bool = False,
        options: options_type = options_type(),  # noqa: B008
    ) -> None:
        """Connect embedding sets that share a modality, without pairs of their other modalities.

        Methods that train continue from their last checkpoint if the same command is run again after an interruption.

        Args:
            *sets: Embedding sets, one per space. Two sets give a connector. More give a graph of spaces: a star around
                an unchanged base space (--method exmcr), or one joint space (auto, cca).
            out: Folder for the connector.
            overlap: Modality that both sets share; its items are matched by id. With more than two sets, overlaps are
                found by their ids.
            method: Method to connect with; add --help to see the options of this method.
            seed: Random seed; the same seed gives the same connector on the same machine.
            device: Device for methods that train: cpu, cuda or cuda:N; by default cuda if available.
            base_space: Centre of the graph; by default the space of the first set.
            onto: Folder of a saved star to add the sets to; its other spaces stay unchanged.
            space: Names of the sets' spaces, in their order; needed for folders without a manifest, whose space is
                otherwise named after the folder.
            queries: Embedding set with queries of yours, in one of the two spaces; with --gallery. The report then
                begins with the estimate for these queries, each of which should have one counterpart in the gallery.
            gallery: Embedding set that these queries are to search.
            query_modality: Modality of the queries; needed if their set has several besides the overlap.
            gallery_modality: Modality to search in; needed if the gallery has several besides the overlap.
            report: Also write the report to this .html file, with images and players of the items it shows.
            force: Connect also if overlap rows with equal ids agree no better than shuffled ones.
        """
        asked = Asked(queries, gallery, query_modality, gallery_modality, report)
        with kept_on_interrupt(lambda: kept_checkpoints(out)):
            if len(sets) == 2 and onto is None and base_space is None:
                run_connect(sets[0], sets[1], out, overlap, options, seed, device, space, asked, force)
            else:
                asked.refuse_for_graphs()
                run_connect_graph(sets, out, options, base_space, onto, seed, device, space, force)

    return connect


@dataclass(frozen=True)
class Asked:
    """What the report is asked for besides: an estimate for queries and a gallery, and a page."""

    queries: Path | None = None
    gallery: Path | None = None
    query_modality: str | None = None
    gallery_modality: str | None = None
    report: Path | None = None

    def refuse_for_graphs(self) -> None:
        """Raise `IsthmusError` if anything is asked for: a graph of spaces has no such report."""
        for option, value in (("--queries", self.queries), ("--gallery", self.gallery), ("--report", self.report)):
            if value is not None:
                raise IsthmusError(f"{option}: only a connector of two sets has this report: leave it out")

    def items(self, sides: "dict[Path, str]", overlap: str) -> "tuple[Embeddings, Embeddings] | None":
        """Queries and gallery, if both are given; ``sides`` are the sets that are connected, with their spaces.

        Raises `IsthmusError` if only one of the two is given, or one is of a space that is not connected.
        """
        if self.queries is None and self.gallery is None:
            return None
        if self.queries is None or self.gallery is None:
            raise IsthmusError("--queries and --gallery go together: give both or neither")
        from isthmus.embeddings import open_set

        found = []
        for path, modality, option in (
            (self.queries, self.query_modality, "--query-modality"),
            (self.gallery, self.gallery_modality, "--gallery-modality"),
        ):
            rows = one_modality(path, open_set(path, sides.get(path)), modality, (overlap,), option)
            if rows.space not in sides.values():
                listed = " and ".join(map(repr, sides.values()))
                raise IsthmusError(f"{path}: of space {rows.space!r}, but {listed} are connected: give a set of one")
            found.append(rows)
        return found[0], found[1]


def run_connect(
    left: Path,
    right: Path,
    out: Path,
    overlap: str,
    config: MethodConfig,
    seed: int,
    device: str | None,
    spaces: Sequence[str] = (),
    asked: Asked = Asked(),
    force: bool = False,
) -> None:
    """Read both sets, connect, save, show the report."""
    from isthmus.artifacts.edition import require_place
    from isthmus.artifacts.folder import CONFIG
    from isthmus.connectors.connect import connect
    from isthmus.connectors.files import FORMAT
    from isthmus.training.processes import writes

    require_place(out, CONFIG, FORMAT)
    sides = open_sets((left, right), spaces)
    named = {path: next(iter(side.values())).space for path, side in zip((left, right), sides, strict=True)}
    items = asked.items(named, overlap)
    connector = connect(
        *sides,
        overlap=overlap,
        method=config,
        seed=seed,
        device=device,
        checkpoint=out / "training.checkpoint",
        progress=True,
        force=force,
    )
    if not writes():
        return
    connector.save(out)
    _remove_checkpoints(out)
    if items is not None:  # after saving, so that queries which cannot be projected lose no work
        connector = connector.judged_on(*items)
        connector.save(out)
    print(connector.report)
    print(f"\nconnector: {out}")
    if asked.report is not None and connector.report is not None:
        print(f"report: {connector.report.save(asked.report)}")
    print(f"next: isthmus search {out} --queries {left} --gallery {right}{space_option(spaces)}")


def run_connect_graph(
    sets: Sequence[Path],
    out: Path,
    config: MethodConfig,
    base: str | None,
    onto: Path | None,
    seed: int,
    device: str | None,
    spaces: Sequence[str] = (),
    force: bool = False,
) -> None:
    """Read the sets, join them as a star or in one space, save, show every path."""
    from isthmus.artifacts.edition import require_place
    from isthmus.artifacts.folder import GRAPH
    from isthmus.connectors.graph.connect_graph import connect_graph
    from isthmus.connectors.graph.files import FORMAT
    from isthmus.connectors.graph.space_graph import SpaceGraph
    from isthmus.training.processes import writes

    require_place(out, GRAPH, FORMAT)
    graph = connect_graph(
        open_sets(sets, spaces),
        method=config,
        base=base,
        onto=None if onto is None else SpaceGraph.load(onto),
        seed=seed,
        device=device,
        checkpoint=out / "training.checkpoint",
        progress=True,
        force=force,
    )
    if not writes():
        return
    graph.save(out)
    _remove_checkpoints(out)
    print(graph)
    print(f"\ngraph of spaces: {out}")
    names = space_option([spaces[0], spaces[-1]] if spaces else [])
    print(f"next: isthmus search {out} --queries {sets[0]} --gallery {sets[-1]}{names}")


def _remove_checkpoints(out: Path) -> None:
    """Delete the checkpoints that training left in the output folder, and no other files with such names."""
    from isthmus.training.checkpoint import is_checkpoint

    for done in out.glob("*training.checkpoint"):
        if is_checkpoint(done):
            done.unlink()


def named_method(arguments: Sequence[str]) -> str:
    """The method named on a connect command line, whose options the command then has."""
    for place, argument in enumerate(arguments):
        if argument.startswith("--method="):
            return _known(argument.removeprefix("--method="))
        if argument == "--method" and place + 1 < len(arguments):
            return _known(arguments[place + 1])
    return "auto"


def _known(method: str) -> str:
    if method not in METHODS:
        raise IsthmusError(f"--method {method}: choose one of {', '.join(METHODS)}")
    return method
