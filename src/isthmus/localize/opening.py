"""Opening: which encoders a connector or code model needs for files, and what modality a file or a query is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.media.listing.request import SUFFIXES
from isthmus.spaces import Space, load_space
from isthmus.spaces.registry import parse

FILES = ("image", "points", "audio", "video")
"""The modalities that files can have, in the order in which they are guessed from a suffix."""


def modality_of(given: str, asked: str | None, option: str) -> str:
    """The modality of a file by its suffix, or text if there is no such file.

    Args:
        given: A path, or a text.
        asked: The modality that the user named, if any.
        option: The option that names it, for errors.

    Raises:
        IsthmusError: It looks like a file but there is none, or is a file of unknown kind.
    """
    if asked is not None:
        return asked
    suffix = Path(given).suffix.lower()
    found = next((modality for modality in FILES if suffix in SUFFIXES[modality]), None)
    exists = _exists(given)
    if found is not None and not exists:
        raise IsthmusError(f"{given}: not found: give an existing file (or {option} text, if it is a text)")
    if exists and found is None:
        raise IsthmusError(f"{given}: its name does not tell what it is: name its modality with {option}")
    return found or "text"


def open_spaces(
    joint: Connector | SpaceGraph | CodeModel | None, specs: Sequence[str], modalities: Sequence[str]
) -> tuple[Space, ...]:
    """Load the encoders of some modalities, each once; of several that have a modality, the first loaded.

    Args:
        joint: What connects their spaces; None if one encoder is used by itself.
        specs: Encoders as `load_space` takes them; by default those of the connected spaces.
        modalities: What has to be encoded, what is looked in first.

    Raises:
        IsthmusError: No encoder is given or takes a modality, or one is of another space.
    """
    names = connected_names(joint, modalities)
    own = next((name for name in names if ":" in name), None)
    if own is not None and not specs:
        raise IsthmusError(f"{own!r} is not the default checkpoint: say where it is with --space FAMILY:CHECKPOINT")
    candidates, chosen = list(specs or names), list[str]()
    for modality in modalities:
        able = [spec for spec in (*chosen, *candidates) if modality in parse(spec)[0].modalities]
        if not able:
            known = ", ".join(candidates) or "none"
            remedy = "give one with --space" if candidates else "give one with --space, or --connector"
            raise IsthmusError(f"no encoder of {modality} (there is {known}): {remedy}")
        chosen += [] if able[0] in chosen else [able[0]]
    loaded = tuple(load_space(spec) for spec in chosen)
    wrong = next(
        (space.name for space in loaded if joint is not None and not _connects(joint, space.name, names)), None
    )
    if wrong is not None:
        known = ", ".join(map(repr, names))
        raise IsthmusError(f"--space gives the space {wrong!r}, but those connected are {known}: give their encoders")
    return loaded


def connected_names(joint: Connector | SpaceGraph | CodeModel | None, modalities: Sequence[str]) -> list[str]:
    """The names of the spaces of a connector or a graph, or of a code model's views of some modalities."""
    match joint:
        case None:
            return []
        case CodeModel():
            return list(dict.fromkeys(view.space for view in joint.views.values() if view.modality in modalities))
        case SpaceGraph():
            return joint.spaces
        case _:
            return [joint.left_space, joint.right_space]


def _connects(joint: Connector | SpaceGraph | CodeModel, name: str, names: Sequence[str]) -> bool:
    """Whether a space is one of those named, or a checkpoint of the family that an official connector names."""
    legs = joint.legs if isinstance(joint, SpaceGraph) else [joint] if isinstance(joint, Connector) else []
    return name in names or any(leg.space_of(name) in names for leg in legs)


def _exists(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):
        return False
