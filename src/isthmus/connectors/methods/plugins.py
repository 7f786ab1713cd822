"""Plug-ins: your own loss term, projector or method, passed to `isthmus.connect` without editing the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.connectors.member import Member, architecture
from isthmus.connectors.overlap.materials import Materials
from isthmus.training.processes import SharedBatchNorm

Pair = tuple[Tensor, Tensor]
BuildProjector = Callable[[int, int, torch.Generator], nn.Sequential]
"""``(inputs, outputs, generator)`` to a projector of Linear, BatchNorm1d, LayerNorm, ReLU and GELU layers."""


@dataclass(frozen=True)
class CmcrBatch:
    """The rows of one training step of C-MCR; every pair is (left, right) and its rows correspond.

    Args:
        overlap: Overlap rows with completion noise, projected: unit rows ``(batch, joint)``, with gradient.
        pseudo: Their pseudo counterparts, likewise; ``None`` if a space has no memory.
        native_overlap: The overlap rows before noise and projection: unit rows, ``(batch, dl)`` and ``(batch, dr)``.
        native_pseudo: Their pseudo counterparts, likewise; ``None`` if a space has no memory.
    """

    overlap: tuple[Float[Tensor, "batch joint"], Float[Tensor, "batch joint"]]
    pseudo: tuple[Float[Tensor, "batch joint"], Float[Tensor, "batch joint"]] | None
    native_overlap: tuple[Float[Tensor, "batch dl"], Float[Tensor, "batch dr"]]
    native_pseudo: tuple[Float[Tensor, "batch dl"], Float[Tensor, "batch dr"]] | None


@runtime_checkable
class LossTerm(Protocol):
    """A term added to C-MCR's loss, times its ``weight``: ``connect(…, method="cmcr", loss_terms=[term])``.

    A term that is an `nn.Module` has its parameters trained along with the projectors. Under ``torchrun`` a term gets
    one process's share of the batch, and the terms of all processes are averaged.

    Example:
        >>> class Attraction:
        ...     name, weight = "attraction", 0.5
        ...     def __call__(self, batch):
        ...         left, right = batch.overlap
        ...         return (left - right).square().sum(-1).mean()
        >>> isinstance(Attraction(), LossTerm)
        True
    """

    name: str
    weight: float

    def __call__(self, batch: CmcrBatch) -> Float[Tensor, ""]:
        """The term of one batch."""


@runtime_checkable
class Method(Protocol):
    """A method of your own: ``connect(…, method=MyMethod())``.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from isthmus.connectors.member import Head, Member
        >>> class Padded:
        ...     name = "padded"
        ...     def fit(self, materials, *, seed, device, checkpoint, progress):
        ...         joint = max(materials.left.overlap.dim, materials.right.overlap.dim)
        ...         heads = []
        ...         for side in (materials.left, materials.right):
        ...             layer = nn.Linear(side.overlap.dim, joint, bias=False)
        ...             nn.init.eye_(layer.weight)
        ...             heads.append(Head(nn.Sequential(layer), centres={}))
        ...         return Member(*heads, method=self.name, source="overlap")
        >>> isinstance(Padded(), Method)
        True
    """

    name: str

    def fit(
        self,
        materials: Materials,
        *,
        seed: int,
        device: str | None,
        checkpoint: Path | None,
        progress: bool | OnProgress,
    ) -> Member:
        """The two heads, fitted to the materials, which leave out the overlap rows held out for the report."""


@dataclass(frozen=True)
class Plugins:
    """The plug-ins of a trained method."""

    loss_terms: Sequence[LossTerm] = ()
    projector: BuildProjector | None = None

    def facts(self) -> dict[str, Any]:
        """What config.json says of them: their names and weights."""
        found: dict[str, Any] = {}
        if self.loss_terms:
            found["loss_terms"] = [{"name": term.name, "weight": float(term.weight)} for term in self.loss_terms]
        if self.projector is not None:
            found["projector"] = getattr(self.projector, "__name__", type(self.projector).__name__)
        return found


def split_plugins(options: Mapping[str, Any]) -> tuple[Plugins, dict[str, Any]]:
    """The plug-ins among a method's options, and the other options."""
    plain = dict(options)
    projector = plain.pop("projector") if callable(plain.get("projector")) else None
    loss_terms = tuple(plain.pop("loss_terms", ()))
    wrong = next((term for term in loss_terms if not (isinstance(term, LossTerm) and callable(term))), None)
    if wrong is not None:
        raise IsthmusError(f"loss term {wrong!r}: give an object with name, weight and __call__, see LossTerm")
    return Plugins(loss_terms, projector), plain


def plugged_projector(build: BuildProjector, inputs: int, outputs: int, draw: torch.Generator) -> nn.Sequential:
    """The projector that a plug-in builds.

    Initial weights follow from the generator even if the plug-in leaves them to torch. Batch statistics are those of
    all processes. Raises `IsthmusError` if the projector cannot be saved or has another width.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=draw)))
        made = build(inputs, outputs, draw)
    if not isinstance(made, nn.Sequential):
        raise IsthmusError(f"the projector is a {type(made).__name__}: return an nn.Sequential")
    architecture(made)
    made = nn.Sequential(*(SharedBatchNorm.of(each) if isinstance(each, nn.BatchNorm1d) else each for each in made))
    with torch.no_grad():
        width = made.eval()(torch.zeros(2, inputs)).shape[1]
    if width != outputs:
        raise IsthmusError(f"the projector has {width} outputs: make it {inputs} to {outputs} dimensions")
    return made.train()
