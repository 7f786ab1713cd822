"""The commands. Nothing is computed here: each command reads, calls one function, says where its result lies."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from isthmus.atomic import write_whole
from isthmus.codes.config import CodesConfig
from isthmus.connecting.config import METHODS, MethodConfig
from isthmus.errors import IsthmusError
from isthmus.extract.config import EmbedConfig
from isthmus.options import require

MethodName = Literal["auto", "procrustes", "ridge", "cca", "cmcr", "exmcr"]
Folder = Annotated[Path, tyro.conf.Positional]
TAGLINE = "Connect two embedding spaces that share one modality, with no paired data."


def inspect(path: Folder, verify: bool = False) -> None:
    """Say what an embedding set holds.

    Args:
        path: Folder of an embedding set, also one written by clip-retrieval.
        verify: Read every shard and compare it with its recorded hash.
    """
    from isthmus.embeddings import inspect_set

    print(inspect_set(path, verify=verify))


def convert(
    source: Folder,
    out: Path,
    modality: str,
    space: str,
    vectors_column: str = "embedding",
    id_column: str = "id",
    ids: Path | None = None,
    dtype: Literal["float16", "float32"] = "float16",
    revision: str = "",
) -> None:
    """Make an embedding set of vectors from elsewhere: NumPy, Parquet, or a folder that clip-retrieval wrote.

    Args:
        source: An .npy file of rows, a Parquet file or a folder of them, or a clip-retrieval folder.
        out: Folder of the embedding set; run once for each modality. Interrupted, run again to go on.
        modality: What the vectors show: text, image, audio ...
        space: The model that made them; vectors of one space can be compared.
        vectors_column: Parquet column that holds a list of numbers a row.
        id_column: Parquet column that holds ids.
        ids: For .npy: a text file with one id a line; without it rows are numbered.
        dtype: Precision on disk.
        revision: The model's revision, to be kept in the manifest.
    """
    from isthmus.embeddings import convert, inspect_set

    convert(
        source,
        out,
        modality=modality,
        space=space,
        vectors_column=vectors_column,
        id_column=id_column,
        ids=ids,
        dtype=dtype,
        revision=revision,
    )
    print(inspect_set(out, verify=False))


def spaces() -> None:
    """List the encoders: modalities, dimension, licence, default checkpoint, installed or the line that installs it."""
    from isthmus.spaces.listing import described

    print("\n".join(described()))


def embed(
    where: Annotated[tuple[Path, ...], tyro.conf.Positional],
    out: Path,
    space: str,
    modality: str | None = None,
    *,
    options: Annotated[EmbedConfig, tyro.conf.arg(name="")] = EmbedConfig(),  # noqa: B008
) -> None:
    """Embed pictures, sounds, videos, texts or point clouds through an encoder; run again to go on, or after changes.

    Args:
        where: Folders, lists of paths (.txt), tables (.csv, .jsonl, .parquet), WebDataset shards (.tar), saved
            Hugging Face datasets, texts; each of one modality. everyday stands for the package's own list of texts.
        out: Folder of the embedding set.
        space: An encoder that isthmus spaces lists, or family:checkpoint for another of its kind (a hub name or path).
        modality: What the items are; needed where the files do not say.
    """
    from isthmus.extract.embed import embed_each

    rows = 0
    for summary in embed_each(where, out, space=space, modality=modality, config=options):
        print(summary)
        rows += summary.rows
    if rows == 0:
        raise IsthmusError(f"{out}: holds no rows, since nothing could be read: see errors.parquet in it")
    print(f"\nembeddings: {out}")
    print(f"next: isthmus connect {out} ANOTHER_SET --overlap text --out DIR")


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
    from isthmus.connecting.connect import connect
    from isthmus.connecting.progress import progress_bar
    from isthmus.embeddings import open_set

    checkpoint = out / "training.checkpoint"
    with progress_bar("training") as progress:
        connector = connect(
            open_set(left),
            open_set(right),
            overlap=overlap,
            method=config,
            seed=seed,
            device=device,
            checkpoint=checkpoint,
            progress=progress,
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
    from isthmus.connecting.connect_graph import connect_graph
    from isthmus.connecting.progress import progress_bar
    from isthmus.connecting.space_graph import SpaceGraph
    from isthmus.embeddings import open_set

    with progress_bar("training") as progress:
        graph = connect_graph(
            [open_set(path) for path in sets],
            method=config,
            base=base,
            onto=None if onto is None else SpaceGraph.load(onto),
            seed=seed,
            device=device,
            checkpoint=out / "training.checkpoint",
            progress=progress,
        )
    graph.save(out)
    for done in out.glob("*training.checkpoint"):
        done.unlink()
    print(graph)
    print(f"\ngraph of spaces: {out}")
    print(f"next: isthmus search {out} --queries {sets[0]} --gallery {sets[-1]}")


def search(
    connector: Folder,
    queries: Path,
    gallery: Path,
    query_modality: str | None = None,
    gallery_modality: str | None = None,
    ids: tuple[str, ...] = (),
    k: int = 10,
    csls: bool = False,
    codes: Path | None = None,
    shortlist: int = 20,
    out: Path | None = None,
) -> None:
    """Search one embedding set by another, of either space, through a connector.

    Args:
        connector: Folder of a saved connector.
        queries: Embedding set of the queries.
        gallery: Embedding set to search in.
        query_modality: Which modality of the queries' set; needed where it holds several beside the overlap.
        gallery_modality: Which modality of the gallery's set.
        ids: Search only for these query ids.
        k: Hits for each query.
        csls: Correct for hubs (cross-domain similarity local scaling).
        codes: Folder of a code model: the best hits are put in a new order by how well their codes align.
        shortlist: How many hits of each query are ordered anew by codes.
        out: Write hits to this .jsonl file; without it they are printed.
    """
    from isthmus.search.sets import search_sets

    require(k >= 1, "k", "at least 1", k)
    require(shortlist >= 1, "shortlist", "at least 1", shortlist)
    found = k if codes is None else max(k, shortlist)
    hits = search_sets(connector, queries, gallery, query_modality, gallery_modality, ids, found, csls=csls)
    if codes is not None:
        from isthmus.codes.sets import rerank_set_hits

        hits = rerank_set_hits(hits, codes, queries, gallery, k)
    _write_lines(hits.jsonl(), "hits", out)


def demo(
    out: Path = Path("demo"),
    images: Path | None = None,
    speech: Path | None = None,
    seed: int = 0,
    retrain: bool = False,
    quick: bool = False,
) -> None:
    """Find spoken numbers by handwritten ones, though no picture was ever paired with a sound.

    Args:
        out: Folder for the report, the connector and the results; run again, finished parts are kept.
        images: Handwritten digits: MNIST idx files or an npz of images and labels; default: the embedded ones.
        speech: Spoken digits: FSDD wav files or an npz of recordings; default: the embedded ones.
        seed: The same seed on the same machine gives the same result.
        retrain: Train the two small spaces anew instead of loading their weights.
        quick: A shortened run: fewer methods, smaller galleries, no ablation.
    """
    from isthmus.demo import run_demo

    run_demo(out, images=images, speech=speech, seed=seed, retrain=retrain, quick=quick)


def codes_train(
    left: Folder,
    right: Annotated[Path | None, tyro.conf.Positional] = None,
    *,
    out: Path,
    overlap: str = "text",
    connector: Path | None = None,
    seed: int = 0,
    device: str | None = None,
    options: Annotated[CodesConfig, tyro.conf.arg(name="")] = CodesConfig(),  # noqa: B008
) -> None:
    """Learn one alphabet of codes for several modalities, from pairs or, over two sets, without any.

    Args:
        left: Folder of an embedding set with tokens.
        right: A second set that shares one modality; without it, items of the first set with equal ids are pairs.
        out: Folder for the codes. Run again after an interruption, training continues from there.
        overlap: The modality both sets hold.
        connector: Folder of a connector of both spaces, whose pseudo pairs are learned from too; without it a quick
            closed form is fitted for them.
        seed: The same seed on the same machine gives the same codes.
        device: cpu or cuda; cuda where present if not given.
    """
    from isthmus.codes.fit import checkpoints_of
    from isthmus.codes.sets import train_on_sets
    from isthmus.connecting.progress import progress_bar

    checkpoint = out / "training.checkpoint"
    with progress_bar("learning codes") as progress:
        model = train_on_sets(
            left, right, options, overlap=overlap, connector=connector, seed=seed, device=device,
            checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
    model.save(out)
    for done in checkpoints_of(checkpoint):
        done.unlink()
    print("\n".join(line for line in model.facts["health"] if not line.startswith("WARNING")))
    print(f"\ncodes: {out}")
    print(f"next: isthmus codes assign {out} {left} --modality MODALITY --out DIR")


def codes_assign(model: Folder, folder: Folder, out: Path, modality: str | None = None) -> None:
    """Write the items of an embedding set in codes, with where each code lies.

    Args:
        model: Folder of a code model.
        folder: Embedding set with tokens.
        out: Folder for codes.npy, offsets.npy, places.npy and codes.parquet.
        modality: Whose tokens; needed where the set has several.
    """
    from isthmus.codes.sets import assign_set

    found = assign_set(model, folder, modality, out)
    print(f"{len(found.codes)} codes of {len(found)} {found.modality} items: {out}")
    print(f"next: isthmus codes show {model} --assignment {out} --item {found.ids[0]}")


def codes_show(model: Folder, assignment: Path | None = None, item: str | None = None) -> None:
    """Say how well a model's codes are shared, or how an item is written in them.

    Args:
        model: Folder of a code model.
        assignment: Folder that isthmus codes assign wrote.
        item: Id of an item to be shown.
    """
    from isthmus.codes.sets import shown

    print("\n".join(shown(model, assignment, item)))


def localize(
    codes: Folder,
    queries: Path,
    query: str,
    gallery: Path,
    part: tuple[float, float] | None = None,
    query_modality: str | None = None,
    gallery_modality: str | None = None,
    ids: tuple[str, ...] = (),
    by: Literal["codes", "tokens"] = "codes",
    least: float = 0.25,
    out: Path | None = None,
) -> None:
    """Find where an item, or a part of one, is in other items: boxes in pictures, seconds in sound, words in texts.

    Args:
        codes: Folder of a code model.
        queries: Embedding set with tokens that holds the query.
        query: Id of the item that is looked for.
        gallery: Embedding set with tokens to look in.
        part: Only this part of the query: start and end in its unit, for pictures left and right.
        query_modality: Which modality of the queries' set; needed where it has tokens of several.
        gallery_modality: Which modality of the gallery's set.
        ids: Look only in these items.
        by: Agreement of codes, or likeness of tokens.
        least: How hot a place must be to belong to the region: 0 the item's median, 1 its hottest.
        out: Write places to this .jsonl file; without it they are printed.
    """
    from isthmus.localize.sets import locate_in_set

    require(0 <= least <= 1, "least", "between 0 and 1", least)
    modalities = query_modality, gallery_modality
    _write_lines(
        locate_in_set(codes, queries, query, part, gallery, modalities, ids, by=by, least=least), "places", out
    )


def _write_lines(lines: Iterable[str], what: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.writelines(line + "\n" for line in lines)
    else:
        write_whole(out, "".join(line + "\n" for line in lines))
        print(f"{what}: {out}")


CODES: dict[str, Callable[..., None]] = {"train": codes_train, "assign": codes_assign, "show": codes_show}


def codes() -> None:
    """One alphabet of discrete codes for all modalities: isthmus codes train | assign | show."""


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


def commands(arguments: Sequence[str]) -> dict[str, Callable[..., None]]:
    """Every command by name; `connect` has the options of the method named in the arguments."""
    return {
        "demo": demo,
        "spaces": spaces,
        "embed": embed,
        "connect": connect_with(named_method(arguments)),
        "search": search,
        "codes": codes,
        "localize": localize,
        "convert": convert,
        "inspect": inspect,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Bad input ends in one line on stderr and exit code 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        print(f"isthmus {version('isthmus')}")
        return
    warnings.showwarning = _warn_in_one_line
    logging.basicConfig(level=logging.INFO, format="isthmus: %(message)s")
    try:
        of_codes = given[:1] == ["codes"]
        tyro.extras.subcommand_cli_from_dict(
            CODES if of_codes else commands(given),
            prog="isthmus codes" if of_codes else "isthmus",
            args=given[1:] if of_codes else given,
            description=(codes.__doc__ if of_codes else TAGLINE),
        )
    except IsthmusError as error:
        print(f"isthmus: {error}", file=sys.stderr)
        sys.exit(2)
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None)
        print(f"isthmus: {name or 'a file'}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("isthmus: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(130)


def _warn_in_one_line(message: Warning | str, *_: object, **__: object) -> None:
    print(f"isthmus: {message}", file=sys.stderr)
