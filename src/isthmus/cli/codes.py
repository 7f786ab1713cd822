"""The codes commands: train, assign, show."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.base.errors import IsthmusError
from isthmus.cli.interruption import kept_checkpoints, kept_on_interrupt
from isthmus.cli.sets import open_sets
from isthmus.codes.model.config import CodesConfig

if TYPE_CHECKING:
    from isthmus.codes.learning.pairs import CodeItems
    from isthmus.codes.learning.sources import LinkedItems
    from isthmus.embeddings import Embeddings

LOG = logging.getLogger(__name__)


def codes_train(
    left: Path,
    right: Path | None = None,
    *,
    out: Path,
    overlap: str = "text",
    connector: Path | None = None,
    paired: bool = False,
    seed: int = 0,
    device: str | None = None,
    space: tuple[str, ...] = (),
    options: CodesConfig = CodesConfig(),  # noqa: B008
) -> None:
    """Train a codebook that several modalities share: from the pairs of one set, or from two sets without pairs.

    After an interruption, run the same command again to continue.

    Args:
        left: Embedding set with tokens.
        right: Embedding set of another space that shares one modality with LEFT; without it, items of LEFT with the
            same id are pairs.
        out: Folder for the code model.
        overlap: Modality that both sets share.
        connector: Folder of a connector between the two spaces, used to find neighbour pairs; by default one is fitted
            in closed form.
        paired: Take items of LEFT and RIGHT with the same id as pairs, as of one set; for encoders of different spaces.
        seed: Random seed; the same seed gives the same codes on the same machine.
        device: cpu, cuda or cuda:N; by default cuda if available.
        space: Names of the sets' spaces, in their order; needed for vectors without a manifest, whose space is
            otherwise named after the folder.
    """
    from isthmus.artifacts.edition import require_place
    from isthmus.artifacts.folder import CONFIG
    from isthmus.codes.learning.fit import checkpoints_of, fit_codes
    from isthmus.codes.model.files import FORMAT
    from isthmus.training.processes import writes

    require_place(out, CONFIG, FORMAT)
    checkpoint = out / "training.checkpoint"
    linked = _paired(left, right, space) if paired else _linked(left, right, overlap, connector, seed, space)
    with kept_on_interrupt(lambda: kept_checkpoints(out)):
        model = fit_codes(
            linked.items, linked.sources, options, seed=seed, device=device, checkpoint=checkpoint, progress=True
        )
    if not writes():
        return
    model.save(out)
    for done in checkpoints_of(checkpoint):
        done.unlink()
    print("\n".join(line for line in model.facts["health"] if not line.startswith("WARNING")))
    print(f"\ncodes: {out}")
    print(f"next: isthmus codes assign {out} {left} --modality MODALITY --out DIR")


def codes_assign(model: Path, folder: Path, *, out: Path, modality: str | None = None) -> None:
    """Assign a code to every token of an embedding set.

    Args:
        model: Folder of a code model.
        folder: Embedding set with tokens.
        out: Folder for codes.npy, offsets.npy, places.npy and codes.parquet; an older assignment is replaced.
        modality: Modality of the tokens; needed if the set has tokens of several.
    """
    from isthmus.artifacts.edition import require_place
    from isthmus.codes.model.model import CodeModel
    from isthmus.codes.reading.assignment import FORMAT, RECORD, assign_codes
    from isthmus.embeddings import open_tokens

    require_place(out, RECORD, FORMAT)
    tokens = open_tokens(folder, modality, option="--modality")
    found = assign_codes(CodeModel.load(model), tokens)
    found.save(out)
    print(f"{len(found.codes)} codes of {len(found)} {found.modality} items: {out}")
    print(f"next: isthmus codes show {model} --assignment {out} --item {found.ids[0]}")


def codes_show(model: Path, *, assignment: Path | None = None, item: str | None = None) -> None:
    """Show how well modalities share the codes of a model, or the codes of one item.

    Args:
        model: Folder of a code model.
        assignment: Folder written by isthmus codes assign.
        item: Id of the item to show; needs --assignment.
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


def _paired(left: Path, right: Path | None, spaces: Sequence[str]) -> "LinkedItems":
    """The true pairs of two sets, each with modalities of its own."""
    from isthmus.codes.learning.sources import link_by_id

    if right is None:
        raise IsthmusError("--paired is for two sets: give the second one too (of one set, equal ids are pairs anyway)")
    opened = open_sets([left, right], spaces)
    items, others = _items_of(left, opened[0]), _items_of(right, opened[1])
    both = next((modality for modality in items if modality in others), None)
    if both is not None:
        raise IsthmusError(f"{left} and {right} both have {both} tokens: for --paired, each has modalities of its own")
    return link_by_id({**items, **others}, name=f"{left} and {right}")


def _linked(
    left: Path, right: Path | None, overlap: str, connector: Path | None, seed: int, spaces: Sequence[str]
) -> "LinkedItems":
    """What codes are trained on: the pairs of one set, or two sets linked without pairs."""
    from isthmus.codes.learning.sources import link_by_id, link_without_pairs
    from isthmus.connectors.config import CcaConfig
    from isthmus.connectors.connect import connect
    from isthmus.connectors.connector import Connector

    if right is None and connector is not None:
        raise IsthmusError(f"--connector {connector} connects two sets: give the second one too")
    opened = open_sets([left] if right is None else [left, right], spaces)
    if right is None:
        return link_by_id(_items_of(left, opened[0]), name=str(left))
    if connector is not None:
        joined = Connector.load(connector)
    else:
        LOG.info("connecting %s and %s in closed form to find neighbour pairs; --connector takes one you have",
                 left, right)  # fmt: skip
        joined = connect(*opened, overlap=overlap, method=CcaConfig(), seed=seed)
    return link_without_pairs(
        _items_of(left, opened[0]), _items_of(right, opened[1]), overlap=overlap, connector=joined
    )


def _items_of(folder: Path, pooled: "Mapping[str, Embeddings]") -> "dict[str, CodeItems]":
    """The items of every modality that has tokens."""
    from isthmus.codes.learning.pairs import CodeItems
    from isthmus.embeddings import open_tokens, token_modalities

    found = {}
    for modality in token_modalities(folder):
        if modality not in pooled:
            raise IsthmusError(f"{folder}: has {modality} tokens but no {modality} vectors: embed its items too")
        tokens = open_tokens(folder, modality)
        found[modality] = CodeItems(tokens, pooled[modality].select(tokens.ids))
    if not found:
        raise IsthmusError(f"{folder}: has no tokens; codes need an encoder's token outputs")
    return found
