"""The connect command: two sets give a connector, more give a graph of spaces."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from isthmus.base.errors import IsthmusError
from isthmus.cli.interruption import kept_checkpoints, kept_on_interrupt
from isthmus.cli.sets import open_sets, space_option
from isthmus.connectors.config import METHODS, MethodConfig

MethodName = Literal["auto", "procrustes", "ridge", "cca", "cmcr", "exmcr"]


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
        """

        with kept_on_interrupt(lambda: kept_checkpoints(out)):
            if len(sets) == 2 and onto is None and base_space is None:
                run_connect(sets[0], sets[1], out, overlap, options, seed, device, space)
            else:
                run_connect_graph(sets, out, options, base_space, onto, seed, device, space)

    return connect


def run_connect(
    left: Path,
    right: Path,
    out: Path,
    overlap: str,
    config: MethodConfig,
    seed: int,
    device: str | None,
    spaces: Sequence[str] = (),
) -> None:
    """Read both sets, connect, save, show the report."""
    from isthmus.artifacts.edition import require_place
    from isthmus.artifacts.folder import CONFIG
    from isthmus.connectors.connect import connect
    from isthmus.connectors.files import FORMAT
    from isthmus.training.processes import writes

    require_place(out, CONFIG, FORMAT)
    connector = connect(
        *open_sets((left, right), spaces),
        overlap=overlap,
        method=config,
        seed=seed,
        device=device,
        checkpoint=out / "training.checkpoint",
        progress=True,
    )
    if not writes():
        return
    connector.save(out)
    _remove_checkpoints(out)
    print(connector.report)
    print(f"\nconnector: {out}")
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
