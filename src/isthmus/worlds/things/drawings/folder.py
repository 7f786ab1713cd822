"""Drawings of a user's own: a folder of images named by thing or emoji, in subfolders that name styles or without."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.media import UnreadableError, read_rgba
from isthmus.media.listing.folder import walked
from isthmus.media.listing.left_out import LeftOut
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.drawings.framing import framed
from isthmus.worlds.things.drawings.naming import thing_named
from isthmus.worlds.things.things import thing_names

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")
WANTED = (
    'name PNG, WebP or JPEG files by what they draw ("dog.png", "christmas tree.png") or by its emoji ("1F436.png"), '
    "and subfolders by style"
)
NAMED = 3
"""How many of the files left out a warning names."""


def read_drawings(folder: str | Path) -> Drawings:
    """Drawings from files, cropped and centred as those of the package are.

    An image without transparency is freed of its background if its border has one colour; otherwise it keeps it.

    Args:
        folder: Has files named by thing ("christmas_tree.png") or code points ("1f384.png"). The folder a file is in
            names its style. Files that name no thing are left out with a warning.

    Returns:
        The drawings in the order of styles, then of things.

    Raises:
        IsthmusError: No file names a thing, a file cannot be read or shows nothing, or two files draw the same thing
            in the same style.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise IsthmusError(f"{folder}: {'not a folder' if folder.exists() else 'not found'}; {WANTED}")
    found = _files(folder)
    if not found:
        raise IsthmusError(f"{folder}: no file in it names a thing; {WANTED}")
    keys = sorted(found)
    styles = tuple(sorted({style for style, _ in keys}))
    return Drawings(
        styles,
        np.stack([_read(found[key]) for key in keys]),
        np.array([thing for _, thing in keys], np.int64),
        np.array([styles.index(style) for style, _ in keys], np.int64),
    )


def _files(folder: Path) -> dict[tuple[str, int], Path]:
    """The file of each style and thing. Warns of files that name no thing."""
    found: dict[tuple[str, int], Path] = {}
    skipped: list[str] = []
    for file in _listed(folder):
        thing = thing_named(file.stem) if file.suffix.lower() in SUFFIXES else None
        if thing is None:
            skipped.append(file.name)
            continue
        inside = file.parent.relative_to(folder).as_posix()
        key = (folder.resolve().name if inside == "." else inside, thing)
        if key in found:
            raise IsthmusError(f"{file}: draws {thing_names()[thing]!r}, as {found[key].name} does: keep one of them")
        found[key] = file
    if found and skipped:
        named = ", ".join(skipped[:NAMED]) + (", …" if len(skipped) > NAMED else "")
        files = "1 file that is" if len(skipped) == 1 else f"{len(skipped)} files that are"
        warnings.warn(f"{folder}: left out {files} no image named by a thing: {named}; {WANTED}", stacklevel=3)
    return found


def _listed(folder: Path) -> Iterator[Path]:
    """All files at any depth, hidden ones excepted."""
    return walked(folder, LeftOut())


def _read(file: Path) -> np.ndarray:
    try:
        drawing = framed(read_rgba(file))
    except UnreadableError as error:
        raise IsthmusError(f"{error}: replace or remove it") from error
    if drawing is None:
        raise IsthmusError(f"{file}: shows nothing but its background: replace or remove it")
    return drawing
