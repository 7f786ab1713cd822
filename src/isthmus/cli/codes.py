"""The codes commands: train, assign, show."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from isthmus.base.errors import IsthmusError
from isthmus.cli.folder import Folder
from isthmus.codes.model.config import CodesConfig

if TYPE_CHECKING:
    from isthmus.codes.learning.objective import CodeItems
    from isthmus.codes.learning.sources import LinkedItems

LOG = logging.getLogger(__name__)


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
    from isthmus.codes.learning.fit import checkpoints_of, fit_codes

    checkpoint = out / "training.checkpoint"
    linked = _linked(left, right, overlap, connector, seed)
    model = fit_codes(
        linked.items, linked.sources, options, seed=seed, device=device, checkpoint=checkpoint, progress=True
    )
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
    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.assignment import assign_codes
    from isthmus.embeddings.token_files import select_tokens

    tokens = select_tokens(folder, modality, option="--modality")
    found = assign_codes(CodeModel.load(model), tokens)
    found.save(out)
    print(f"{len(found.codes)} codes of {len(found)} {found.modality} items: {out}")
    print(f"next: isthmus codes show {model} --assignment {out} --item {found.ids[0]}")


def codes_show(model: Folder, assignment: Path | None = None, item: str | None = None) -> None:
    """Say how well a model's codes are shared, or how an item is written in them.

    Args:
        model: Folder of a code model.
        assignment: Folder that isthmus codes assign wrote.
        item: Id of an item to be shown.
    """
    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.assignment import Assignment

    if assignment is None:
        if item is not None:
            raise IsthmusError("--item needs --assignment")
        own = CodeModel.load(model)
        print("\n".join([f"{len(own.codebook)} codes for {', '.join(own.views)}", *own.facts.get("health", [])]))
        return
    written = Assignment.load(assignment)
    if item is None:
        print(f"{len(written)} {written.modality} items, {len(written.codes)} tokens, {written.size} codes")
    else:
        print("\n".join(written.runs(item)))


CODES: dict[str, Callable[..., None]] = {"train": codes_train, "assign": codes_assign, "show": codes_show}


def codes() -> None:
    """One alphabet of discrete codes for all modalities: isthmus codes train | assign | show."""


def _linked(left: Path, right: Path | None, overlap: str, connector: Path | None, seed: int) -> "LinkedItems":
    """What codes are trained on: the pairs of one set, or two sets linked without pairs."""
    from isthmus.codes.learning.sources import link_by_id, link_without_pairs
    from isthmus.connectors.config import CcaConfig
    from isthmus.connectors.connect import connect
    from isthmus.connectors.connector import Connector
    from isthmus.embeddings import open_set

    if right is None:
        if connector is not None:
            raise IsthmusError(f"--connector {connector} connects two sets: give the second one too")
        return link_by_id(_items_of(left), name=str(left))
    if connector is not None:
        joined = Connector.load(connector)
    else:
        LOG.info("connecting %s and %s in closed form to find neighbour pairs; --connector takes one you have",
                 left, right)  # fmt: skip
        joined = connect(open_set(left), open_set(right), overlap=overlap, method=CcaConfig(), seed=seed)
    return link_without_pairs(_items_of(left), _items_of(right), overlap=overlap, connector=joined)


def _items_of(folder: Path) -> "dict[str, CodeItems]":
    """The items of every modality that has tokens."""
    from isthmus.codes.learning.objective import CodeItems
    from isthmus.embeddings import open_set
    from isthmus.embeddings.token_files import open_tokens, token_modalities

    pooled, found = open_set(folder), {}
    for modality in token_modalities(folder):
        if modality not in pooled:
            raise IsthmusError(f"{folder}: has {modality} tokens but no {modality} vectors: embed its items too")
        tokens = open_tokens(folder, modality)
        found[modality] = CodeItems(tokens, pooled[modality].select(tokens.ids))
    if not found:
        raise IsthmusError(f"{folder}: has no tokens; codes need an encoder's token outputs")
    return found
