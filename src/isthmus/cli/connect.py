"""The connect command: two sets to a connector, more to a graph of spaces."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from isthmus.base.errors import IsthmusError
from isthmus.connectors.config import METHODS, MethodConfig

MethodName = Literal["auto", "procrustes", "ridge", "cca", "cmcr", "exmcr"]


def connect_with(method: str) -> Callable[..., None]:
    """The connect command with one method's options."""
    options_type: Any = METHODS[method]

    def connect(
        sets: Annotated[tuple[Path, ...], tyro.conf.Positional],
        out: Path,
        overlap: str = "text",
        method: MethodName = method,  # type: ignore[assignment]
        seed: int = 0,
        device: str | None = None,
        base_space: str | None = None,
        onto: Path | None = None,
        *,
        options: Annotated[options_type, tyro.conf.arg(name="")] = options_type(),  # noqa: B008
    ) -> None:
        """Connect embedding sets that share modalities, without pairs of their other modalities.

        Args:
            sets: Folders of embedding sets, each of one space. Two give a connector; more a graph of spaces: a star
                that keeps its base (exmcr), or one joint space (auto, cca).
            out: Folder for the connector. Run again after an interruption, training continues from there.
            overlap: The modality two sets share, matched by id; of more sets, overlaps are found by their ids.
            method: How to connect; with --help, shows this method's options.
            seed: The same seed on the same machine gives the same connector.
            device: Where methods that train run: cpu or cuda; cuda where present if not given.
            base_space: The space around which more than two are joined; by default the first set's.
            onto: Folder of a star to which the sets' new spaces are added; its others stay as they are.
        """
        if len(sets) == 2 and onto is None and base_space is None:
            run_connect(sets[0], sets[1], out, overlap, options, seed, device)
        else:
            run_connect_graph(sets, out, options, base_space, onto, seed, device)

    return connect


def run_connect(
    left: Path, right: Path, out: Path, overlap: str, config: MethodConfig, seed: int, device: str | None
) -> None:
    """Read both sets, connect, save, show the report."""
    from isthmus.connectors.connect import connect
    from isthmus.embeddings import open_set

    checkpoint = out / "training.checkpoint"
    connector = connect(
        open_set(left),
        open_set(right),
        overlap=overlap,
        method=config,
        seed=seed,
        device=device,
        checkpoint=checkpoint,
        progress=True,
    )
    connector.save(out)
    checkpoint.unlink(missing_ok=True)
    print(connector.report)
    print(f"\nconnector: {out}")
    print(f"next: isthmus search {out} --queries {left} --gallery {right}")


def run_connect_graph(
    sets: Sequence[Path],
    out: Path,
    config: MethodConfig,
    base: str | None,
    onto: Path | None,
    seed: int,
    device: str | None,
) -> None:
    """Read the sets, join them as a star or in one space, save, show every path."""
    from isthmus.connectors.graph.connect_graph import connect_graph
    from isthmus.connectors.graph.space_graph import SpaceGraph
    from isthmus.embeddings import open_set

    graph = connect_graph(
        [open_set(path) for path in sets],
        method=config,
        base=base,
        onto=None if onto is None else SpaceGraph.load(onto),
        seed=seed,
        device=device,
        checkpoint=out / "training.checkpoint",
        progress=True,
    )
    graph.save(out)
    for done in out.glob("*training.checkpoint"):
        done.unlink()
    print(graph)
    print(f"\ngraph of spaces: {out}")
    print(f"next: isthmus search {out} --queries {sets[0]} --gallery {sets[-1]}")


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
