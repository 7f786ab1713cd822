"""The registry: families by name, and spaces loaded by name.

Families are found through the entry-point group ``isthmus.spaces``; the built-in ones are listed in pyproject.toml.
"""

from __future__ import annotations

import warnings
from importlib.metadata import entry_points
from pathlib import Path

from isthmus.base.devices import checked_device
from isthmus.base.errors import IsthmusError, reason_of
from isthmus.spaces.protocol import Family, Weights
from isthmus.spaces.space import Space

GROUP = "isthmus.spaces"
OWN = "isthmus.spaces.families:"
PRECISIONS = ("float32", "bfloat16", "float16")
_warned: set[str] = set()


def families() -> dict[str, Family]:
    """Every family by name, including those of other installed packages.

    A family of another package that cannot be used is named in a warning, once, and left out.
    """
    found, broken = _discovered()
    for problem in broken.values():
        if problem not in _warned:
            _warned.add(problem)
            warnings.warn(f"{problem}: it is left out; repair or uninstall it", stacklevel=2)
    return found


def _discovered() -> tuple[dict[str, Family], dict[str, str]]:
    """The families by name, built-in ones first, and what is wrong with each entry point that provides none."""
    found: dict[str, Family] = {}
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (not entry.value.startswith(OWN), entry.name)):
        where = f"the space {entry.name!r} ({entry.value})"
        try:
            family = entry.load()
        except (Exception, SystemExit) as error:
            broken[entry.name] = f"{where} cannot be imported ({type(error).__name__}: {reason_of(error)})"
            continue
        if problem := _problem_of(family):
            broken[entry.name] = f"{where} {problem}"
        elif found.setdefault(family.name, family) != family:
            broken[entry.value] = f"{where} has the name of another space, {family.name!r}"
    return found, broken


def _problem_of(family: object) -> str | None:
    """What makes a family of another package unusable."""
    if not isinstance(family, Family):
        return f"is a {type(family).__name__}, not an isthmus.spaces.Family"
    texts = ("name", "title", "licence", "checkpoint", "revision", "extra", "loader")
    wrong = [name for name in texts if not isinstance(getattr(family, name), str)]
    wrong += [
        name
        for name in ("modalities", "needs")
        if not isinstance(own := getattr(family, name), tuple) or not all(isinstance(one, str) for one in own)
    ]
    wrong += [
        name for name, own in (("dim", int | None), ("kind", str | None)) if not isinstance(getattr(family, name), own)
    ]
    if wrong:
        return f"has a {wrong[0]} of the wrong type, {getattr(family, wrong[0])!r}"
    if not family.name or ":" in family.name:
        return f"has the name {family.name!r}, which cannot be given as a space"
    return None


def load_space(spec: str, *, device: str | None = None, precision: str = "float32") -> Space:
    """Load an encoder.

    Args:
        spec: ``family``, ``family:checkpoint`` or ``family:checkpoint@revision``. Families are those that
            ``isthmus spaces`` lists; a checkpoint is a name on the Hugging Face hub or the path of a folder or file.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; by default a GPU if there is one.
        precision: The encoder's arithmetic: ``"float32"``, ``"bfloat16"`` or ``"float16"``.

    Returns:
        The space. Its name is the family's, followed by ``:`` and the last part of the checkpoint's name unless the
        checkpoint is the family's default.

    Raises:
        IsthmusError: The family is unknown, a library it needs is not installed, or the checkpoint does not exist.

    Example:
        >>> from isthmus import load_space
        >>> space = load_space("precomputed:imagebind", device="cpu")
        >>> space.name, space.modalities
        ('imagebind', ('text', 'image', 'audio', 'video', 'points'))
    """
    family, checkpoint, revision = parse(spec)
    if precision not in PRECISIONS:
        raise IsthmusError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if family.missing:
        raise IsthmusError(f"the space {family.name!r} needs {', '.join(family.missing)}: {family.install}")
    if not checkpoint:
        raise IsthmusError(f"the space {family.name!r} has no default checkpoint: give {family.name}:PATH")
    where = checked_device(device)
    encoder = family.load(Weights(checkpoint, revision, where, precision))
    return Space(_name(family, checkpoint), family.modalities, family.kind, where, encoder)


def parse(spec: str) -> tuple[Family, str, str]:
    """The family, checkpoint and revision of ``family:checkpoint@revision``."""
    known = families()
    name, _, rest = spec.partition(":")
    if name not in known and name in (broken := _discovered()[1]):
        raise IsthmusError(f"{broken[name]}: repair or uninstall it")
    if name not in known:
        raise IsthmusError(f"unknown space {name!r}: choose one of {', '.join(known)} (isthmus spaces describes them)")
    family = known[name]
    if not rest:
        return family, family.checkpoint, family.revision
    rest = str(Path(rest).expanduser()) if rest.startswith("~") else rest
    checkpoint, _, revision = rest.partition("@") if not Path(rest).exists() else (rest, "", "")
    return family, checkpoint, revision


def licence_of(space: str) -> str:
    """The licence of the encoder behind a space's name; only default checkpoints are known."""
    name, _, checkpoint = space.partition(":")
    family = families().get(name)
    if family is None or checkpoint:
        return "see its own model card"
    return family.licence


def _name(family: Family, checkpoint: str) -> str:
    if family.kind == "vector":
        return checkpoint
    if checkpoint == family.checkpoint:
        return family.name
    return f"{family.name}:{Path(checkpoint).name.removesuffix('.pt').removesuffix('.pth')}"
