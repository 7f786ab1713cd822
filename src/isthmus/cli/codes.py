"""The codes commands: train, assign, show."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro

from isthmus.cli.folder import Folder
from isthmus.codes.model.config import CodesConfig


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
    from isthmus.codes.learning.fit import checkpoints_of
    from isthmus.codes.sets import train_on_sets

    checkpoint = out / "training.checkpoint"
    model = train_on_sets(
        left, right, options, overlap=overlap, connector=connector, seed=seed, device=device,
        checkpoint=checkpoint, progress=True,
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


CODES: dict[str, Callable[..., None]] = {"train": codes_train, "assign": codes_assign, "show": codes_show}


def codes() -> None:
    """One alphabet of discrete codes for all modalities: isthmus codes train | assign | show."""
