"""The registry: every family by name, found through the entry-point group ``isthmus.spaces``; spaces loaded by name."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.spaces.protocol import Ask, Family, Space

GROUP = "isthmus.spaces"
PRECISIONS = ("float32", "bfloat16", "float16")


def families() -> dict[str, Family]:
    """Every family by name, also those of installed packages. A package that cannot be imported is named and refused.

    Raises `IsthmusError` where two packages name one family.
    """
    found: dict[str, Family] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            family = entry.load()
        except Exception as error:
            raise IsthmusError(
                f"the space {entry.name!r} of {entry.value!r} cannot be imported ({error}): mend or uninstall it"
            ) from error
        if family.name in found:
            raise IsthmusError(f"two installed packages add a space named {family.name!r}: uninstall one")
        found[family.name] = family
    return found


def load_space(spec: str, *, device: str | None = None, precision: str = "float32") -> Space:
    """The space that ``spec`` names: ``family``, ``family:checkpoint`` or ``family:checkpoint@revision``.

    A checkpoint is a hub name, or the path of a folder or file. The space is called by its family's name, followed by
    ``:`` and the checkpoint's last name where that is not the family's own. ``device`` is CUDA where present.

    Raises `IsthmusError` for an unknown family, one whose libraries are missing, and a checkpoint that is not there.
    """
    family, checkpoint, revision = parse(spec)
    if precision not in PRECISIONS:
        raise IsthmusError(f"precision {precision!r}: choose one of {', '.join(PRECISIONS)}")
    if family.missing:
        raise IsthmusError(f"the space {family.name!r} needs {', '.join(family.missing)}: {family.install}")
    if not checkpoint:
        raise IsthmusError(f"the space {family.name!r} needs a checkpoint: give {family.name}:PATH")
    name = family.name if checkpoint == family.checkpoint else f"{family.name}:{_last_name(checkpoint)}"
    return family.load(Ask(name, checkpoint, revision, checked_device(device or best_device()), precision))


def parse(spec: str) -> tuple[Family, str, str]:
    """Family, checkpoint and revision of ``family:checkpoint@revision``."""
    known = families()
    name, _, rest = spec.partition(":")
    if name not in known:
        raise IsthmusError(f"unknown space {name!r}: choose one of {', '.join(known)} (isthmus spaces describes them)")
    family = known[name]
    if not rest:
        return family, family.checkpoint, family.revision
    rest = str(Path(rest).expanduser()) if rest.startswith("~") else rest
    checkpoint, _, revision = rest.partition("@") if not Path(rest).exists() else (rest, "", "")
    return family, checkpoint, revision


def _last_name(checkpoint: str) -> str:
    last = Path(checkpoint).name
    return last.removesuffix(".pt").removesuffix(".pth")


def checked_device(device: str) -> str:
    """A device torch knows and has. Raises `IsthmusError` for any other."""
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise IsthmusError(f"device {device!r} is none torch knows: give cpu or cuda") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise IsthmusError(f"device {device!r}: there is no CUDA here: leave --device out, or give cpu")
    return device


def best_device() -> str:
    """CUDA where it is present."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
