"""The sets of a command, with the names of their spaces."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.base.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus.embeddings import Embeddings


def open_sets(paths: Sequence[Path], spaces: Sequence[str]) -> "list[dict[str, Embeddings]]":
    """Open sets; ``spaces`` names the space of each set, or is empty."""
    from isthmus.embeddings import open_set

    if spaces and len(spaces) != len(paths):
        raise IsthmusError(f"--space has {len(spaces)} names for {len(paths)} sets: give one for each, in their order")
    if not spaces:
        return [open_set(path) for path in paths]
    return [open_set(path, space) for path, space in zip(paths, spaces, strict=True)]


def one_modality(
    path: Path, found: "Mapping[str, Embeddings]", modality: str | None, overlaps: Sequence[str], option: str
) -> "Embeddings":
    """The named modality of a set, or its only one besides the overlap."""
    if modality is not None:
        if modality not in found:
            raise IsthmusError(f"{path}: no {modality} vectors ({option}); it holds {', '.join(found)}")
        return found[modality]
    candidates = [name for name in found if name not in overlaps] or list(found)
    if len(candidates) > 1:
        raise IsthmusError(f"{path}: holds {', '.join(candidates)}; name one with {option}")
    return found[candidates[0]]


def space_option(spaces: Sequence[str]) -> str:
    """The option for the next command, quoted for the shell.

    Example:
        >>> space_option(["clip", "my clap"])
        " --space clip 'my clap'"
    """
    return f" --space {shlex.join(spaces)}" if spaces else ""
